"""Which tables the router makes in which database."""

from typing import Any

import pytest

from tracking.router import HitstreamRouter


@pytest.mark.parametrize(
    ("database", "app", "made_in_default", "made_in_hits"),
    [
        ("hits", "hitstream", False, True),
        ("hits", "shop", None, False),
        ("default", "hitstream", True, False),
        ("default", "shop", None, None),
    ],
)
def test_the_database_of_the_hits_holds_nothing_else(
    settings: Any, database: str, app: str, made_in_default: bool, made_in_hits: bool
) -> None:
    """The data migrations of other apps would run there a second time, and write to `default`."""
    settings.HITSTREAM = {**settings.HITSTREAM, "DATABASE": database}
    router = HitstreamRouter()
    assert router.allow_migrate("default", app) is made_in_default
    assert router.allow_migrate("hits", app) is made_in_hits
