"""From a JSON object of the public HTTP API to an Arrival. Everything that refuses a hit is here.

The vendor's JavaScript SDK sends the same object with the user at the top level.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from tracking.ingest.errors import BadRequest
from tracking.ingest.parse.arrival import Arrival, ClientInfo, dedup_digest, keep_private
from tracking.ingest.parse.fields import (
    check_objects,
    email_digest,
    first_loose,
    first_text,
    moment,
    objects,
    text,
)
from tracking.ingest.parse.json_decoding import decode
from tracking.ingest.parse.times import tell_time
from tracking.models.hits.hit import Clock
from tracking.routing.switches import switches
from tracking.uuid7 import moment_of

SENT, RECEIVED, CAPPED = Clock.SENT.value, Clock.RECEIVED.value, Clock.CAPPED.value


def parse(body: bytes, sender: ClientInfo) -> Arrival:
    """Return the hit of the body. Raises BadRequest with what to fix."""
    return read_hit(decode(body), body, sender)


def read_hit(
    payload: dict[str, Any], body: bytes, sender: ClientInfo, *, browser: bool = False
) -> Arrival:
    """Return the hit of the decoded payload. Raises BadRequest. `browser` hits may have beside
    `sentAt`, then the time of sending, a `timestamp`, the time of the event."""
    event = payload.get("event")
    if not isinstance(event, dict):
        raise BadRequest("event_required", "`event` is required and must be an object.")
    check_objects(payload, ("context", "integrations"))
    users = objects(event.get("user"), payload.get("user"), payload)
    user_id = first_text(users, "userId")
    anonymous_id = first_text(users, "anonymousId")
    if not user_id and not anonymous_id:
        raise BadRequest(
            "user_required", "A userId or an anonymousId is required, best in `event.user`."
        )
    id = uuid7()
    received_at = moment_of(id)
    sent_at, occurred_at, clock = read_times(payload, received_at, browser=browser)
    hit_id = text(payload.get("hitId"), "hitId")
    keep_private(payload, sender.ip_policy)
    return Arrival(
        id=id,
        token_id=sender.token_id,
        hit_id=hit_id or str(id),
        digest=dedup_digest(hit_id, body, "hitId") if hit_id else None,
        type="track",
        name=event_name(event.get("name")),
        user_id=user_id,
        anonymous_id=anonymous_id,
        email_hash=first_loose(users, "emailHash"),
        sent_at=sent_at,
        received_at=received_at,
        occurred_at=occurred_at,
        clock=clock,
        ip=sender.ip,
        user_agent=sender.user_agent,
        payload=payload,
        switches=switches(payload.get("integrations") or {}),
        email_digest=find_email(payload, event, users) if may_hold_email(body) else None,
    )


def may_hold_email(body: bytes) -> bool:
    """Return whether the JSON has an at sign. Most hits have none, and need not be searched."""
    return b"@" in body or b"\\u0040" in body


def find_email(
    payload: dict[str, Any], event: dict[str, Any], users: list[dict[str, Any]]
) -> UUID | None:
    """Return the digest of the hit's e-mail address; None without one."""
    return email_digest([*users, event, *contacts(payload, event)])


def contacts(payload: dict[str, Any], event: dict[str, Any]) -> list[dict[str, Any]]:
    """Return further places of an e-mail address: the traits, and the buyer of a transaction."""
    context, transaction = payload.get("context"), event.get("transaction")
    return objects(
        context.get("traits") if isinstance(context, dict) else None,
        transaction.get("contactInfo") if isinstance(transaction, dict) else None,
    )


def read_times(
    payload: dict[str, Any], received_at: datetime, *, browser: bool
) -> tuple[datetime, datetime, str]:
    """Return when the hit was sent, when the event happened, and the rule that gives that time.
    Raises BadRequest."""
    sent_at = moment(payload.get("sentAt"), "sentAt")
    if sent_at is None:
        return received_at, received_at, RECEIVED
    if browser and "timestamp" in payload:
        return tell_time(payload, payload["sentAt"], received_at)
    if sent_at > received_at:
        return sent_at, received_at, CAPPED
    return sent_at, sent_at, SENT


def event_name(value: Any) -> str:
    return text(value, "event.name") if not isinstance(value, (dict, list, bool)) else ""
