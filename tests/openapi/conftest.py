from typing import Any

import pytest
from django.test import Client


def pytest_itemcollected(item: pytest.Item) -> None:
    """Schemathesis calls its tests by their operations, but not in the ids by which processes share
    them out."""
    if not item.nodeid.endswith(item.name) and item.parent is not None:
        item._nodeid = f"{item.parent.nodeid}::{item.name}"


@pytest.fixture
def document() -> Any:
    """What /api/schema serves."""
    answer = Client(SERVER_NAME="localhost").get("/api/schema")
    assert answer.status_code == 200
    return answer.json()
