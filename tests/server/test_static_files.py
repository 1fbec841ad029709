"""Static files as the deployment serves them."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.http import HttpResponse
from django.templatetags.static import static
from django.test import RequestFactory, override_settings
from whitenoise.middleware import WhiteNoiseMiddleware

from tests.support.posting import get
from tracking.server import settings

pytestmark = pytest.mark.django_db


def test_no_source_map_is_served() -> None:
    served = [path for finder in finders.get_finders() for path, _ in finder.list(None)]
    assert len(served) > 50
    assert not [path for path in served if path.endswith(".map")]
    bundle = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
    assert finders.find(bundle)
    assert not finders.find(f"{bundle}.map")
    host = "localhost"
    assert get(f"/static/{bundle}", host=host).status_code == 200
    assert get(f"/static/{bundle}.map", host=host).status_code == 404


def test_collected_files_have_hashed_names_and_are_kept_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`hitstream manage collectstatic`, then the web server with the same STATIC_ROOT."""
    monkeypatch.setattr("sys.argv", ["hitstream", "collectstatic"])
    with override_settings(**of_a_process(monkeypatch, tmp_path)):
        call_command("collectstatic", verbosity=0, interactive=False)
    monkeypatch.setattr("sys.argv", ["web"])
    with override_settings(**of_a_process(monkeypatch, tmp_path)):
        name = static("hitstream/icon.svg")
        assert re.fullmatch(r"/static/hitstream/icon\.[0-9a-f]{12}\.svg", name)
        served = WhiteNoiseMiddleware(lambda request: HttpResponse(status=404))
        answer = served(RequestFactory().get(name))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"


def of_a_process(monkeypatch: pytest.MonkeyPatch, root: Path) -> dict[str, Any]:
    """Return what the settings say of static files, as a process that starts now reads them."""
    monkeypatch.setenv("STATIC_ROOT", str(root))
    read = runpy.run_path(settings.__file__)
    names = ("STATIC_ROOT", "STORAGES", "WHITENOISE_USE_FINDERS", "WHITENOISE_AUTOREFRESH")
    return {name: read[name] for name in names}
