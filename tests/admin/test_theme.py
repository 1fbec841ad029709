"""Admin pages and the console under a theme that replaces the templates of Django's admin."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tracking.models import Token
from tracking.presentation.admin_frame import is_stock_frame

THEME = """<html><body class="theme">{% block content %}{% endblock %}</body></html>"""


@pytest.fixture
def theme(settings: Any, tmp_path: Path) -> Iterator[None]:
    (tmp_path / "admin").mkdir()
    (tmp_path / "admin" / "base.html").write_text(THEME)
    (templates,) = settings.TEMPLATES
    settings.TEMPLATES = [{**templates, "DIRS": [tmp_path, *templates.get("DIRS", [])]}]
    is_stock_frame.cache_clear()
    yield
    is_stock_frame.cache_clear()


@pytest.mark.usefixtures("theme")
def test_the_console_keeps_its_navigation(operator: Client) -> None:
    page = operator.get("/console/").content.decode()
    assert 'class="hs-nav"' in page
    assert 'id="logout-form"' in page
    assert 'class="theme"' not in page


@pytest.mark.usefixtures("theme")
def test_the_theme_may_use_its_scripts_and_no_other_site(operator: Client, token: Token) -> None:
    answer = operator.get(f"/admin/hitstream/token/{token.pk}/change/")
    assert 'class="theme"' in answer.content.decode()
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in policy
    assert "http" not in policy
    assert "unsafe" not in operator.get("/console/").headers["Content-Security-Policy"]


def test_the_stock_admin_may_use_nothing_inline(operator: Client, token: Token) -> None:
    answer = operator.get(f"/admin/hitstream/token/{token.pk}/change/")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
