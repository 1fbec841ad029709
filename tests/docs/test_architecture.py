"""ARCHITECTURE.md names files that are there."""

import re

from docs.generate.pages import ROOT
from tests.docs.markdown import rows, section

ARCHITECTURE = ROOT / "ARCHITECTURE.md"
STEPS = [
    *("Receive", "Authenticate", "Parse", "Store", "Answer", "Wake"),
    *("Claim", "Map", "Send", "Judge", "Settle", "Show"),
]


def test_the_steps_of_a_hit_are_twelve() -> None:
    table = list(rows(section(ARCHITECTURE, "The steps of a hit")))
    assert [row[1] for row in table] == STEPS
    assert [row[0] for row in table] == [str(number) for number in range(1, 13)]


def test_every_file_of_the_steps_is_there() -> None:
    table = list(rows(section(ARCHITECTURE, "The steps of a hit")))
    named = [path for row in table for path in re.findall(r"`([^`]+)`", row[3])]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_word_of_the_glossary_stands_there_once() -> None:
    words = [row[0] for row in rows(section(ARCHITECTURE, "Glossary"))]
    assert len(words) > 30
    assert len(words) == len(set(words))
