"""Moments on the pages: relative or exact, the other in the title."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import timezone, translation

NOW = datetime(2026, 11, 25, 23, 31, 7, 123_456, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def shown(expression: str, value: datetime | None) -> str:
    with timezone.override(BERLIN):
        template = Template(f"{{% load times %}}{{{{ value|{expression} }}}}")
        return template.render(Context({"value": value}))


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        ({"seconds": 0.4}, "now"),
        ({"seconds": 9}, "9\xa0seconds ago"),
        ({"minutes": 3, "seconds": 20}, "3\xa0minutes ago"),
        ({"days": 2, "hours": 5}, "2\xa0days ago"),
        ({"minutes": -3, "seconds": -1}, "3\xa0minutes from now"),
    ],
)
def test_a_recent_moment_is_relative_with_the_exact_time_in_its_title(
    ago: dict[str, float], text: str
) -> None:
    html = shown("ago", NOW - timedelta(**ago))
    assert f">{text}</time>" in html
    assert " CET" in html
    assert 'data-time="relative"' in html


def test_what_is_older_than_a_week_is_exact() -> None:
    assert ">2026-11-17 00:31:07</time>" in shown("ago", NOW - timedelta(days=9))
    assert shown("ago", None) == shown("exact", None) == "–"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("exact", "2026-11-26 00:31:07"),
        ('exact:"minute"', "2026-11-26 00:31"),
        ('exact:"millisecond"', "2026-11-26 00:31:07.123"),
        ('exact:"clock"', "00:31:07"),
    ],
)
def test_an_exact_moment_is_in_the_zone_of_the_page(form: str, text: str) -> None:
    html = shown(form, NOW)
    assert f">{text}</time>" in html
    assert 'datetime="2026-11-25T23:31:07.123456Z"' in html


def test_the_first_and_the_last_day_have_no_other_zone() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert ">9999-12-31 23:59:59 UTC</time>" in shown("exact", last)


def test_a_language_has_its_own_words() -> None:
    with translation.override("de"):
        assert "2\xa0Tag" in shown("ago", NOW - timedelta(days=2))
