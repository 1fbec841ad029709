"""Every relative link of every Markdown file leads somewhere."""

from pathlib import Path

import pytest

from docs.generate import pages as site
from tests.docs.links import broken
from tests.docs.markdown import forge_slug, pages, site_slug


def test_every_link_and_anchor_leads_somewhere() -> None:
    assert len(pages()) > 50
    assert list(broken(pages())) == []


def test_a_broken_link_and_a_broken_anchor_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.docs.links.ROOT", tmp_path)
    (tmp_path / "there.md").write_text("# There\n\n## A part\n\n```\n# no heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[fine](there.md#a-part), [gone](gone.md), [no part](there.md#no-heading),\n"
        "[elsewhere](https://example.com/gone.md), `[code](gone.md)`\n"
    )
    assert [line.partition(": ")[2].split(":")[0] for line in broken([page])] == [
        "gone.md",
        "there.md#no-heading",
    ]


@pytest.mark.parametrize("heading", ["POST /track", "A path of the site's own", "What's next?"])
def test_plain_headings_have_one_anchor_everywhere(heading: str) -> None:
    assert forge_slug(heading) == site_slug(heading)


def test_a_link_to_a_page_of_the_root_leads_to_its_place_in_the_site() -> None:
    text = "[a](../../ARCHITECTURE.md#glossary), [c](../../tracking/conf.py), `[d](../x.md)`"
    assert site.relink(text, "docs/how-to/install.md") == (
        "[a](../project/architecture.md#glossary), c, `[d](../x.md)`"
    )


def test_a_page_of_the_root_links_into_the_site() -> None:
    text = "![a](docs/images/home.png) [b](docs/index.md) [c](CONTRIBUTING.md)"
    assert site.relink(text, "ARCHITECTURE.md") == (
        "![a](../images/home.png) [b](../index.md) [c](contributing.md)"
    )
