"""An integration that fails: every list says so in the same words, also once it is paused."""

import pytest
from django.test import Client

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import shoot
from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.operations import deliver, post
from tests.support.people import operator
from tests.support.rounds import a_round, rule
from tests.support.vendor import open_vendor, reply
from tracking.models import Hit, Integration, Token

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "requests in a row failed, the last with: The destination answered 500: broken"


def fail(send: Send, token: Token, *, requests: int) -> Integration:
    """Its requests fail, each in a run of its own."""
    integration = add_webhook(token, name="Orders", retry_base=3600)
    with open_vendor(reply(500, b"broken")) as vendor:
        Integration.objects.filter(pk=integration.pk).update(config={"url": vendor.url})
        for number in range(requests):
            post(send, f"Ordered {number}")
            deliver()
    integration.refresh_from_db()
    assert integration.consecutive_failures == requests
    return integration


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return " ".join(answer.content.decode().split())


@pytest.fixture
def client() -> Client:
    made = Client()
    made.force_login(operator())
    return made


def pages_of(integration: Integration) -> list[str]:
    return [
        "/console/",
        "/console/integrations/",
        f"/console/integrations/{integration.pk}/",
        "/admin/hitstream/integration/",
        f"/admin/hitstream/integration/{integration.pk}/change/",
        f"/admin/hitstream/token/{integration.token_id}/change/",
    ]


def test_every_list_says_that_it_is_failing_and_how(
    client: Client, send: Send, token: Token
) -> None:
    integration = fail(send, token, requests=7)
    for path in pages_of(integration):
        text = text_of(client, path)
        assert "7 in a row, HTTP 500" in text, path
        assert "failing since" in text, path
        assert ">running<" not in text, path
    hit_page = text_of(client, f"/console/hits/{Hit.objects.latest('id').pk}/")
    assert f"7 {WORDS}" in hit_page


def test_home_the_alert_and_the_hit_use_the_same_words(
    client: Client, send: Send, token: Token
) -> None:
    rule("rate", threshold=90, minutes=10)
    integration = fail(send, token, requests=10)
    assert integration.paused_cause == "down"
    a_round()
    hit = Hit.objects.latest("id")
    for path in ("/console/", "/console/alerts/", f"/console/hits/{hit.pk}/"):
        assert f"10 {WORDS}" in text_of(client, path), path
    assert f"10 {WORDS}" in text_of(client, f"/admin/hitstream/delivery/?q={hit.pk}")


def test_one_failure_is_soon_retried_and_no_state(client: Client, send: Send, token: Token) -> None:
    fail(send, token, requests=1)
    assert ">running<" in text_of(client, "/console/integrations/")


def test_the_page_explains_what_happens_next(sign_in: SignIn, send: Send, token: Token) -> None:
    integration = fail(send, token, requests=3)
    page = sign_in(operator(), f"/console/integrations/{integration.pk}/")
    text = page.locator("p.hs-failing").inner_text()
    assert f"3 {WORDS}" in text
    assert "After 10 failures in a row the integration pauses" in text
    assert violations(page) == []
    shoot(page, "console-integration-failing")
    page.goto(page.url.split("/console")[0] + "/console/")
    assert violations(page) == []
    shoot(page, "console-home-failing")
