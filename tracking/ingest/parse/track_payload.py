"""From a JSON object of the public HTTP API to an Arrival. Everything that refuses a hit is here.

The vendor's JavaScript SDK sends the same object with the user at the top level.
"""

from __future__ import annotations

from typing import Any

from uuid_utils.compat import uuid7

from tracking.ingest.errors import BadRequest
from tracking.ingest.parse.arrival import Arrival, ClientInfo, dedup_digest, keep_private
from tracking.ingest.parse.fields import (
    check_objects,
    first_loose,
    first_text,
    moment,
    objects,
    text,
)
from tracking.ingest.parse.json_decoding import decode
from tracking.models.hits.hit import Clock
from tracking.routing.switches import switches
from tracking.uuid7 import moment_of

SENT, RECEIVED = Clock.SENT.value, Clock.RECEIVED.value


def parse(body: bytes, sender: ClientInfo) -> Arrival:
    """Return the hit of the body. Raises BadRequest with what to fix."""
    return read_hit(decode(body), body, sender)


def read_hit(payload: dict[str, Any], body: bytes, sender: ClientInfo) -> Arrival:
    """Return the hit of the decoded payload. Raises BadRequest."""
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
    sent_at = moment(payload.get("sentAt"), "sentAt")
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
        sent_at=sent_at or received_at,
        received_at=received_at,
        occurred_at=sent_at or received_at,
        clock=SENT if sent_at else RECEIVED,
        ip=sender.ip,
        user_agent=sender.user_agent,
        payload=payload,
        switches=switches(payload.get("integrations") or {}),
    )


def event_name(value: Any) -> str:
    return text(value, "event.name") if not isinstance(value, (dict, list, bool)) else ""
