from typing import Any

import pytest
from django.test import Client


@pytest.fixture
def document() -> Any:
    """What /api/schema serves."""
    answer = Client(SERVER_NAME="localhost").get("/api/schema")
    assert answer.status_code == 200
    return answer.json()
