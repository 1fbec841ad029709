"""What was asked for, what was on the wire, and what is stored: three times the same."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.clients.sdk import PATIENCE
from tests.support.tap import Tap
from tracking.models import Hit, Token

Call = Mapping[str, Any]


def await_events(tap: Tap, count: int) -> None:
    """So many are answered as stored."""
    ends = time.monotonic() + PATIENCE
    while len(tap.taken) < count:
        assert time.monotonic() < ends, f"{len(tap.taken)} of {count} events were taken"
        time.sleep(0.05)


def check(tap: Tap, token: Token, calls: Sequence[Call]) -> None:
    """Each call is one event on the wire that was taken, and each event is one hit."""
    hits = {hit.hit_id: hit for hit in Hit.objects.filter(token=token)}
    assert Hit.objects.filter(token=token).count() == len(hits) == len(calls)
    taken = {event["messageId"]: event for event in tap.taken}
    assert taken.keys() == hits.keys()
    assert len(tap.taken) == len(taken)
    for hit_id, hit in hits.items():
        check_event(hit, taken[hit_id])
    for call in calls:
        (hit,) = [hit for hit in hits.values() if is_of(hit, call)]
        check_call(hit, call)


def check_event(hit: Hit, event: Mapping[str, Any]) -> None:
    """The hit is what was on the wire."""
    ours = ("writeKey", "batchSentAt")
    assert hit.payload == {name: value for name, value in event.items() if name not in ours}
    assert hit.type == event["type"]
    assert hit.user_id == (event.get("userId") or "")
    assert hit.anonymous_id == (event.get("anonymousId") or "")
    assert hit.sent_at == datetime.fromisoformat(event.get("sentAt") or event["batchSentAt"])
    check_time(hit, event)


def check_time(hit: Hit, event: Mapping[str, Any]) -> None:
    """RudderStack's SDKs say when a call was made, and beside it when the caller says that it
    happened: that holds. Else the sender's clock is corrected by ours."""
    made, told = event.get("originalTimestamp"), event.get("timestamp")
    if made and told:
        assert (hit.clock, hit.occurred_at) == ("timestamp", datetime.fromisoformat(told))
        return
    original = datetime.fromisoformat(made or event["timestamp"])
    corrected = min(hit.received_at, hit.received_at - (hit.sent_at - original))
    assert hit.clock == "corrected"
    assert abs(hit.occurred_at - corrected) <= timedelta(milliseconds=1)


def is_of(hit: Hit, call: Call) -> bool:
    name = call.get("event") or call.get("name") or ""
    return (hit.type, hit.name) == (call["type"], name)


def check_call(hit: Hit, call: Call) -> None:
    """The hit says what the SDK was asked to."""
    payload = hit.payload
    assert hit.user_id == call.get("userId", "")
    assert hit.anonymous_id == call.get("anonymousId", hit.anonymous_id)
    assert contains(payload, {k: call[k] for k in ("groupId", "previousId") if k in call})
    assert contains(payload.get("properties"), call.get("properties", {}))
    assert contains(payload["context"], call.get("context", {}))
    # RudderStack's SDKs put a person's traits into the context.
    assert contains(
        payload.get("traits") or payload["context"].get("traits"), call.get("traits", {})
    )
    if "timestamp" in call:
        late = hit.occurred_at - datetime.fromisoformat(call["timestamp"])
        assert abs(late) < timedelta(seconds=PATIENCE)


def contains(whole: Mapping[str, Any] | None, part: Mapping[str, Any]) -> bool:
    """A browser's SDK adds what it knows of the page."""
    return not part or {name: (whole or {}).get(name) for name in part} == part
