"""In another language no word of English is left on a page."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.translation import trans_real

from tests.console.test_alerts import raised
from tests.console.test_analytics import happened, keep
from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.operations import let_die, post, replay, work
from tests.support.other_language import CODE, Quoted, untranslated
from tests.support.people import operator
from tracking.console.poll_token import HEADER, PollToken
from tracking.models import DeadLetter, Hit, Integration, Operation, Token
from tracking.models.access.scope import Scope
from tracking.models.integrations.failing import failure_text

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_rules")]
#: Names and data; the last line is what the worker recorded, and a change of a configuration.
DATA = {
    *("Hitstream", "UTC", "CSV", "HTTP", "Webhook", "shop", "olaf", "anna", "Bought", "track"),
    *("GB", "MB", "KB", "ms", "min", "plan", "free", "testserver", "Cookie"),
    *("The", "destination", "answered", "no", "such", "thing", "url", "http", "hook"),
}


@pytest.fixture(autouse=True)
def _quoted(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(trans_real._translations, CODE, Quoted())  # type: ignore[attr-defined]
    settings.LANGUAGE_CODE = CODE
    yield
    del settings.LANGUAGE_CODE


@pytest.fixture
def see(token: Token, send: Send) -> Client:
    """An operator's client, where something has arrived, died and is replayed."""
    token.breakdowns = ["plan"]
    token.save()
    webhook = add_webhook(token, name="W")
    let_die(send, webhook, "Bought")
    add_webhook(token, name="N", event_names=["Paid"])
    replay(webhook, event="Bought")
    work()
    post(send, "Bought", hitId="7", sentAt="2026-01-02T03:04:05Z")
    now = timezone.now()
    keep(token, *[happened("Bought", now - timedelta(hours=hour), plan="free") for hour in (1, 30)])
    broken = add_webhook(token, name="B")
    Integration.objects.filter(pk=broken.pk).update(
        consecutive_failures=3, failing_since=now, failure_status=500
    )
    webhook.pause(by="olaf")
    raised("dead", "7", token, integration=webhook, fine_since=now)
    raised("backlog", "7", token, resolved_at=now)
    raised("disk", "7").silence(until=now + timedelta(hours=1), reason="7", by="olaf")
    client = Client()
    client.force_login(operator())
    return client


def words(client: Client, path: str) -> set[str]:
    """Return the words of the page that are neither translated nor data."""
    answer = client.get(path)
    assert answer.status_code == 200
    return set(untranslated(answer.content.decode())) - DATA


def test_no_page_has_a_word_of_english(see: Client) -> None:
    found = {
        path: words(see, f"/console/{path}")
        for path in (
            *(
                "",
                "deliveries/",
                "live/",
                "integrations/",
                "alerts/",
                "audit/",
                "self-test/",
                "search/",
                "search/?q=9@7",
                "events/",
                "events/?q=9",
                "events/?event=Bought",
            ),
            *("search/?q=u1", "analytics/?breakdown=plan", "analytics/?since=7", "?span=30d"),
            *(f"integrations/{each.pk}/" for each in Integration.objects.all()),
            *(f"hits/{each.pk}/" for each in Hit.objects.all()),
        )
    }
    assert not {path: left for path, left in found.items() if left}


def test_an_empty_system_is_explained_in_the_language() -> None:
    client = Client()
    client.force_login(operator())
    assert words(client, "/console/") == set()
    assert words(client, "/console/live/") == set()
    Token.objects.issue("shop")
    assert words(client, "/console/live/") == {"curl", "Python", "JavaScript"}


def test_what_scripts_show_is_translated(see: Client) -> None:
    ticket = PollToken(Scope(None)).sign()
    answer = see.get("/console/live/hits/", headers={HEADER: ticket}).json()
    assert answer["summary"].endswith(" hits/min» · «showing 4 hits»")
    answer = see.get("/console/live/hits/?event=x", headers={HEADER: ticket}).json()
    assert answer["summary"] == "«No match in the last 4 hits»"
    answer = see.post("/admin/hitstream/integration/mapping/", {"token": Token.objects.get().pk})
    assert answer.json()["title"] == "«Preview on the last 4 hits»"
    page = see.get("/console/live/").content.decode()
    for name, text in (("pause", "Pause"), ("resume", "Resume"), ("paused", "Paused.")):
        assert f'data-{name}="«{text}»"' in page


def test_what_is_stored_stays_english(see: Client, token: Token, send: Send) -> None:
    """A worker has the language of the deployment, a record has none."""
    assert failure_text(2, "503") == "2 requests in a row failed, the last with: 503"
    webhook = add_webhook(token, name="D")
    let_die(send, webhook, "Bought")
    letter = DeadLetter.objects.get(integration=webhook)
    see.post(f"/console/hits/{letter.hit_id}/{webhook.pk}/replay/")
    hit = Hit.objects.get(pk=letter.hit_id)
    assert Operation.objects.latest("pk").message == f"Only the hit {hit.hit_id}."
