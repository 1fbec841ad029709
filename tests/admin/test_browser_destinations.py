"""The form of every destination, in a real browser."""

import pytest
from django.forms import ChoiceField
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.support.browser import follow, shoot, unfold
from tracking.destinations.contract import registry
from tracking.destinations.contract.destination import Destination
from tracking.models import Token


@pytest.mark.parametrize("kind", registry.all_destinations(), ids=lambda kind: kind.slug)
def test_its_form_opens_and_says_what_is_missing(
    signed_in: Page,
    live_server: LiveServer,
    kind: type[Destination],
) -> None:
    page = signed_in
    token, _ = Token.objects.issue("Shop")
    page.goto(f"{live_server.url}/admin/hitstream/integration/add/?token={token.pk}")
    follow(page, f".hs-destinations a[href*='destination={kind.slug}&']")
    unfold(page)
    for name, field in kind.Config.base_fields.items():
        expect(page.locator(f"[name='config-{name}']").first).to_be_visible()
        if field.help_text:
            expect(page.locator(f".field-config-{name} .help")).to_contain_text(
                str(field.help_text)[:40]
            )
    shoot(page, f"destination-{kind.slug}")
    page.fill("#id_name", "Mine")
    follow(page, "input[name=_save]")
    for name, field in kind.Config.base_fields.items():
        # A list of choices has one chosen already.
        if field.required and not field.initial and not isinstance(field, ChoiceField):
            expect(page.locator(f".field-config-{name} .errorlist")).to_be_visible()
