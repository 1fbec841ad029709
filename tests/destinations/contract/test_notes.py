"""Notes for operators are plain Markdown, shown without trusting it; icons are drawn or files."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tracking.destinations.contract import registry
from tracking.destinations.contract.config_form import ConfigForm
from tracking.destinations.contract.destination import Destination
from tracking.destinations.vendors.webhook.destination import Webhook
from tracking.presentation.markdown import render


class Lettered(Destination):
    slug, label, docs_url = "lettered", "Carrier pigeon", "https://pigeon.example/docs"
    icon, colour = "<>", "#4a6fa5"
    Config = ConfigForm


def test_notes_become_html() -> None:
    text = (
        "# Title\n\n## What is sent\n\n- one `*a*`\n- two\n  lines\n\n"
        "See *this* at <https://a.example/x>."
    )
    assert render(text) == (
        "<h4>What is sent</h4>\n"
        "<ul><li>one <code>*a*</code></li><li>two lines</li></ul>\n"
        '<p>See <em>this</em> at <a href="https://a.example/x">https://a.example/x</a>.</p>'
    )


@pytest.mark.parametrize(
    "text", ["<script>x</script>", "`<b>`", "- <img src=x>", "## <i>", "<https://a/<b>"]
)
def test_html_in_notes_is_escaped(text: str) -> None:
    for tag in ("<script", "<b>", "<img", "<i>"):
        assert tag not in render(text)


def test_a_destination_without_files_has_letters_and_no_notes() -> None:
    assert ">&lt;&gt;</text>" in Lettered.icon_svg()
    assert 'fill="#4a6fa5"' in Lettered.icon_svg()
    assert Lettered.notes() == ""

    class Plain(Lettered):
        icon = ""

    assert ">Ca</text>" in Plain.icon_svg()


def test_files_beside_the_module_win() -> None:
    assert ">Wh</text>" in Webhook.icon_svg()
    assert "Standard Webhooks" in Webhook.notes()

    class Elsewhere(Webhook):
        """Its module has no files beside it."""

    assert ">We</text>" in Elsewhere.icon_svg()
    assert Elsewhere.notes() == ""


@pytest.mark.django_db
def test_the_admin_shows_icons_and_notes(admin_client: Client) -> None:
    chooser: Any = admin_client.get("/admin/hitstream/integration/add/")
    page = chooser.content.decode()
    for kind in registry.all_destinations():
        assert kind.icon_svg() in page
    form: Any = admin_client.get("/admin/hitstream/integration/add/?destination=webhook")
    assert "<summary>Notes on Webhook</summary><h4>Where to find the values</h4>" in (
        form.content.decode()
    )
