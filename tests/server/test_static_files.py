"""Static files as the deployment serves them."""

import pytest
from django.contrib.staticfiles import finders

from tests.support.posting import get

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
