"""Statements in files: found by name, with their fragments, or refused at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracking.sql import SqlFileError, load

PACKAGE = Path(__file__).resolve().parents[1] / "tracking"


def written(folder: Path, text: str) -> str:
    """The module beside which the text stands as a SQL file."""
    (folder / "some.sql").write_text(text)
    return str(folder / "some.py")


def test_a_statement_has_its_fragments_filled_in(tmp_path: Path) -> None:
    statements = load(
        written(
            tmp_path,
            "-- fragment: old\n-- What is old.\nage > {limit}\n\n"
            "-- fragment: limit\n-- Days.\n%(days)s\n\n"
            "-- name: count\n-- Count what is old.\n"
            "SELECT count(*) FROM things WHERE {old} AND name <> ALL('{}');\n",
        )
    )
    assert statements == {
        "count": "SELECT count(*) FROM things WHERE age > %(days)s AND name <> ALL('{}')"
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT 1\n", "before the first"),
        ("-- name: one\nSELECT 1\n", "before the first"),
        ("-- name: a\n-- A.\nSELECT 1\n-- name: a\n-- A.\nSELECT 2\n", "occurs twice"),
        ("-- name: a\n-- A.\nSELECT {b}\n", "unknown fragments b"),
    ],
)
def test_a_file_that_breaks_the_format_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SqlFileError, match=reason):
        load(written(tmp_path, text))


def test_every_file_of_the_package_can_be_loaded_and_names_its_parameters() -> None:
    paths = [path for path in PACKAGE.rglob("*.sql") if "migrations" not in path.parts]
    assert len(paths) > 20
    for path in paths:
        for name, statement in load(str(path.with_suffix(".py"))).items():
            assert "%s" not in statement, f"{path.name}: {name}"
