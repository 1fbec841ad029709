"""A pytest plugin: each test is marked by what it needs, from its folder and its fixtures."""

import json
from pathlib import Path

import pytest

from tests.support.order import TABLE, file_of

TESTS = Path(__file__).resolve().parents[1]
#: By folder, or file, below tests/.
NEEDS = {
    "clients": "sdk",
    "docs": "slow",
    "embedded": "stack",
    "failover": "stack",
    "script": "browser",
    "stack": "stack",
    "wheel": "stack",
}
#: Seconds from which the tests of a file are slow, on the machine that wrote the table.
SLOW = 10.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seconds: dict[str, float] = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in NEEDS:
            item.add_marker(NEEDS[folder])
        if "chromium_address" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        if seconds.get(file_of(item.nodeid), 0) >= SLOW:
            item.add_marker("slow")
