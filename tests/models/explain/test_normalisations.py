"""What is stored otherwise than it was sent is told, and nothing else is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.hits import Send, hit
from tracking.models import Hit, Ledger, Token
from tracking.models.explain.hit_history import hit_history
from tracking.models.ledger.ingest_stats import ingest_volume
from tracking.models.tokens.privacy import IpPolicy

pytestmark = pytest.mark.django_db(transaction=True)


def told(send: Send, said: Any, **headers: str) -> list[str]:
    assert send(said, **headers).status_code in {200, 204}
    return list(hit_history(Hit.objects.get()).normalisations)


def user(**fields: Any) -> dict[str, Any]:
    return hit(hitId="h1", event={"name": "Registered", "user": {"userId": "u1", **fields}})


def test_of_what_is_stored_as_it_came_nothing_is_told(send: Send, token: Token) -> None:
    assert told(send, user(emailHash="e" * 255)) == []


def test_the_hit_id_that_we_made_is_told(send: Send) -> None:
    (line,) = told(send, hit())
    assert "set no hitId" in line


def test_a_number_that_became_a_text_is_told(send: Send) -> None:
    assert told(send, user(userId=17)) == [
        "The user id was sent as a number and is stored as text."
    ]


def test_a_text_that_was_cut_is_told(send: Send) -> None:
    assert told(send, user(emailHash="e" * 256)) == ["The e-mail hash was cut to 255 characters."]


def test_an_event_name_that_is_no_text_is_told(send: Send) -> None:
    said = hit(hitId="h1", event={"name": ["Registered"], "user": {"userId": "u1"}})
    assert told(send, said) == ["`event.name` is not a text, so the hit has no event name."]


def test_a_user_agent_that_may_have_been_cut_is_told(send: Send) -> None:
    (line,) = told(send, user(), user_agent="x" * 600)
    assert "At most 512 characters" in line


def test_characters_that_were_replaced_are_told(send: Send) -> None:
    (line,) = told(send, user(plan="a\0b"))
    assert "NUL" in line


@pytest.mark.parametrize(
    ("policy", "words"),
    [(IpPolicy.DROP, "never stored"), (IpPolicy.ANONYMISE, "stored shortened")],
)
def test_what_was_kept_of_the_address_is_told_by_the_policy_of_then(
    send: Send, token: Token, policy: str, words: str
) -> None:
    token.ip_policy = policy
    token.save()
    (line,) = told(send, user())
    assert words in line
    token.ip_policy = IpPolicy.KEEP
    token.save()
    assert hit_history(Hit.objects.get()).normalisations == (line,)


def test_a_time_by_our_clock_is_told(send: Send) -> None:
    said = {
        "type": "track",
        "event": "Registered",
        "userId": "u1",
        "messageId": "m1",
        "timestamp": "2020-01-01T00:00:00Z",
        "sentAt": "2020-01-01T00:00:10Z",
    }
    (line,) = told(send, said, path="/v1/track")
    assert "By the sender's clock the event occurred at 2020-01-01T00:00:00Z" in line
    stored = Hit.objects.get()
    assert (stored.received_at - stored.occurred_at).total_seconds() == 10


def sdk_event(**times: Any) -> dict[str, Any]:
    return {"event": "Registered", "userId": "u1", "messageId": "m1", **times}


def test_a_time_after_receipt_is_told(send: Send) -> None:
    (line,) = told(send, user() | {"sentAt": "2099-01-01T00:00:00Z"})
    assert 'the hit has sentAt "2099-01-01T00:00:00Z". The event\'s time is that of receipt' in line


def test_a_time_that_cannot_be_read_is_told_and_counted(send: Send, token: Token) -> None:
    (line,) = told(send, sdk_event(timestamp="۱۴۰۵-۰۸-۱۰T۱۲:۰۰:۰۰Z"), path="/v1/track")
    assert line.startswith("The sender's time is not one that can be read: the hit has timestamp")
    send(
        {"batch": [sdk_event(type="track", messageId=f"m{n}", timestamp="") for n in "234"]},
        path="/v1/batch",
    )
    for _ in range(2):
        counts = ingest_volume(datetime.now(UTC) - timedelta(hours=2)).tokens[token.pk]
        assert (counts.accepted, counts.refused) == (4, 0)
        assert counts.notes == {"time_unreadable": 4}
        Ledger.objects.consolidate()
