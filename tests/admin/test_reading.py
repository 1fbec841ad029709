"""What the admin's pages show is easy to read: numbers, headings, marks of required fields."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.operations import deliver, post
from tests.support.vendor import open_vendor, reply
from tracking.admin.integration_inline import SHOWN
from tracking.models import Attempt, Token


def test_numbers_have_separators_as_in_the_console(
    operator: Client, send: Send, token: Token
) -> None:
    with open_vendor(reply(200)) as vendor:
        add_webhook(token, vendor.url)
        post(send, "Ordered")
        deliver()
    Attempt.objects.update(duration=1.2494)
    page = operator.get("/admin/hitstream/attempt/").content.decode()
    assert '<td class="field-milliseconds">1,249</td>' in page


@pytest.mark.parametrize(
    ("count", "heading"),
    [(1, "Integrations"), (SHOWN + 1, f"The first {SHOWN} of {SHOWN + 1} integrations")],
)
def test_the_integrations_of_a_token_are_numbered_where_some_are_left_out(
    operator: Client, token: Token, count: int, heading: str
) -> None:
    for number in range(count):
        add_webhook(token, name=f"Hook {number}")
    page = operator.get(f"/admin/hitstream/token/{token.pk}/change/").content.decode()
    headings = [line.strip() for line in page.splitlines()]
    assert heading in headings


def test_what_a_destination_needs_is_marked_until_it_is_saved(
    operator: Client, token: Token
) -> None:
    url = f"/admin/hitstream/integration/add/?destination=segment&token={token.pk}"
    form = operator.get(url).context["adminform"].form
    needed = {name for name, field in form.fields.items() if field.required}
    assert {"config-url", "config-write_key"} <= needed
    integration = add_webhook(token)
    url = f"/admin/hitstream/integration/{integration.pk}/change/"
    form = operator.get(url).context["adminform"].form
    assert form.fields["config-url"].required
    assert not form.fields["config-signing_secret"].required, "a saved secret stays"
