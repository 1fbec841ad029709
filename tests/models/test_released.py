"""What is released is history: databases out there have run these migrations as they are."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

import tracking.migrations

FOLDER = Path(tracking.migrations.__file__).parent
#: The digest of each released migration with its SQL. A release adds its migrations.
RELEASED = {"0001": "6a545a21700f699c"}


def digest(number: str) -> str:
    files = [*sorted(FOLDER.glob(f"{number}_*.py")), *sorted((FOLDER / "sql").glob(f"{number}_*"))]
    assert files
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


@pytest.mark.parametrize("number", RELEASED)
def test_a_released_migration_stays_as_it_is(number: str) -> None:
    assert digest(number) == RELEASED[number], "Write another migration instead."
