"""Every page of the console, and of ours in the admin: what holds for all of them."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import expect

from tests.console.conftest import SignIn
from tests.console.test_alerts import raised
from tests.support.axe import violations, violations_in_dark
from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.operations import let_die, post, replay, work
from tests.support.people import operator
from tracking.ingest.write.refusals import refusals
from tracking.models import Attempt, Hit, Operation, Token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_rules")]
WIDTHS = (1440, 1024, 390)
#: A name without a place to break it, as long as most senders' ids.
LONG = "a3f6d0c1-9b7e-4d52-8f10-66f1e2b7c9d4@customers.example"
#: The pages whose colours in the dark no other story looks at.
PALE = {"/console/refused/", "/console/deliveries/", f"/console/users/?id={LONG}"}
#: Of the page as a whole, in either direction of writing, and of each field within its row.
OVERFLOW = """() => {
  const page = document.documentElement, found = [];
  for (const direction of ["rtl", "ltr"]) {
    page.dir = direction;
    if (page.scrollWidth > innerWidth) found.push(`${direction} ${page.scrollWidth}`);
  }
  for (const field of document.querySelectorAll(".form-row :is(input, select, textarea)")) {
    const row = field.closest(".form-row").getBoundingClientRect();
    if (field.getBoundingClientRect().right > row.right) found.push(field.name);
  }
  return found;
}"""


@pytest.fixture
def paths(token: Token, send: Send) -> list[str]:
    """The pages, of a system where something was delivered, died, was refused and is watched."""
    webhook = add_webhook(token, name="Orders to the warehouse")
    let_die(send, webhook, "Completed Transaction")
    replay(webhook, event="Completed Transaction")
    work()
    event = {"name": "Viewed Product Detail", "user": {"userId": LONG}}
    send(hit(event=event, hitId=LONG))
    send({"event": {"name": "nobody"}})
    refusals.write()
    post(send, "Registered")
    raised("dead", "7", token, integration=webhook)
    console = [
        *("", "live/", "integrations/", "deliveries/", "refused/", "setup/", "audit/"),
        *("analytics/", "alerts/", "self-test/", f"search/?q={LONG}", f"users/?id={LONG}"),
        f"integrations/{webhook.pk}/",
        f"integrations/{webhook.pk}/deliveries/",
        f"hits/{Hit.objects.latest('pk').pk}/",
    ]
    lists = (
        *("token", "integration", "hit", "delivery", "attempt", "operation"),
        *("revision", "alertrule"),
    )
    admin = [
        *(f"{model}/" for model in lists),
        *("integration/add/", "integration/add/?destination=webhook", "alertrule/add/"),
        *(f"token/{token.pk}/{page}/" for page in ("change", "delete")),
        *(f"integration/{webhook.pk}/{page}/" for page in ("change", "replay", "ledger")),
        f"operation/{Operation.objects.get().pk}/change/",
        f"attempt/{Attempt.objects.latest('made_at').pk}/change/",
        f"revision/{token.revisions.latest('number').pk}/change/",
    ]
    return [f"/console/{path}" for path in console] + [f"/admin/hitstream/{path}" for path in admin]


def test_no_page_scrolls_sideways(sign_in: SignIn, paths: list[str]) -> None:
    page = sign_in(User.objects.create_superuser("root"), "/console/")
    home = page.url.split("/console/")[0]
    found: list[tuple[str, object, str]] = []
    for path in paths:
        answer = page.goto(f"{home}{path}", wait_until="domcontentloaded")
        assert answer is not None
        assert answer.status == 200, path
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found += [(path, width, each) for each in page.evaluate(OVERFLOW)]
        page.set_viewport_size({"width": 1280, "height": 900})
        if path in PALE:
            found += [(path, "dark", each) for each in violations_in_dark(page)]
    assert found == []
    page.goto(f"{home}/console/refused/")
    assert violations(page) == []
    page.keyboard.press("Control+k")
    expect(page.locator("#hs-palette")).to_be_visible()
    assert violations_in_dark(page) == []


def test_the_frame_has_the_direction_of_the_language(settings: Any) -> None:
    settings.LANGUAGES = [*settings.LANGUAGES, ("he", "Hebrew")]
    client = Client(headers={"accept-language": "he"})
    client.force_login(operator())
    for path in ("/console/", "/admin/hitstream/token/"):
        text = client.get(path).content.decode()
        assert 'dir="rtl"' in text
        assert "rtl.css" in text
        assert "hitstream/direction.css" in text
