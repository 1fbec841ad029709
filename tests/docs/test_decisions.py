"""The record of decisions, and the length of the front page."""

import re

from docs.generate.pages import DOCS, ROOT

DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))


def test_the_decisions_are_numbered_without_a_gap() -> None:
    assert len(DECISIONS) >= 19
    assert [int(page.name[:4]) for page in DECISIONS] == [*range(1, len(DECISIONS) + 1)]


def test_each_decision_has_its_status_and_the_four_parts() -> None:
    for number, page in enumerate(DECISIONS, start=1):
        title, _, status, *_ = page.read_text(encoding="utf-8").splitlines()
        assert title.startswith(f"# {number}. "), page.name
        assert re.match("(Accepted|Replaced)", status), page.name
        headings = re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Figures"], page.name


def test_the_list_of_decisions_has_each_with_its_title() -> None:
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    for page in DECISIONS:
        title = page.read_text(encoding="utf-8").splitlines()[0].partition(". ")[2]
        assert f"[{title}]({page.name})" in index


def test_the_front_page_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150
