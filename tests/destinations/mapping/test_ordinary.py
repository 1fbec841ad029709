"""Ordinary expressions, with the results that each has for the sample events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.samples import SAMPLES
from tracking.destinations.mapping import document
from tracking.destinations.mapping.evaluator import evaluator
from tracking.destinations.mapping.protocol import FAILED, MISSING, SET, UNMET

ORDINARY: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("ordinary.json").read_text(encoding="utf-8")
)
DOCUMENTS = [document.read(SAMPLES[name]) for name in ORDINARY[0]["results"]]


def shown(code: int, value: Any) -> Any:
    """Return the result as the file has it."""
    if code == SET:
        return {"value": value[0]} if value else True
    return {UNMET: False, MISSING: f"missing: {value}", FAILED: f"error: {value}"}[code]


def test_there_are_at_least_200() -> None:
    assert len(ORDINARY) > 200


@pytest.mark.parametrize(
    "entry", ORDINARY, ids=lambda entry: entry.get("condition", entry.get("path"))
)
def test_an_ordinary_expression_has_the_result_that_is_written_down(entry: dict[str, Any]) -> None:
    paths = [entry["path"]] if "path" in entry else []
    text = entry.get("condition", "")
    assert evaluator.check(text or paths[0], is_condition=bool(text)) == ""
    results = evaluator.evaluate(text, paths, DOCUMENTS)
    assert [shown(*result) for result in results] == [*entry["results"].values()]
