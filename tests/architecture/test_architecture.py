"""What a reader relies on: no circle of imports, one meaning a name, short files, plain words."""

from __future__ import annotations

import graphlib
from pathlib import Path

import grimp

from tests.architecture import vocabulary
from tests.architecture.class_names import repeated_class_names

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 300


def test_no_circle_in_the_import_graph_of_files() -> None:
    graph = grimp.build_graph("tracking", "project", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 300
    # Raises CycleError, which names the circle.
    assert list(graphlib.TopologicalSorter(imports).static_order())


def test_no_class_name_has_two_meanings() -> None:
    assert repeated_class_names() == {}


def test_no_file_is_longer_than_a_story() -> None:
    files = [*ROOT.glob("tracking/**/*.py"), *ROOT.glob("project/**/*.py")]
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files
        if "migrations" not in path.parts
        and (lines := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert long == {}


def test_no_text_uses_a_private_or_a_vague_word() -> None:
    assert len(vocabulary.files()) > 400
    assert vocabulary.banned() == []
    assert {
        word: count for word, count in vocabulary.vague().items() if count > vocabulary.RARE
    } == {}
