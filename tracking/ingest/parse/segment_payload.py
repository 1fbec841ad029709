"""From an event in Segment's shape to an Arrival. Its messageId is the hitId."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from uuid_utils.compat import uuid7

from tracking.events import TYPES
from tracking.ingest.errors import BadRequest
from tracking.ingest.parse.arrival import Arrival, ClientInfo, dedup_digest, keep_private
from tracking.ingest.parse.fields import check_objects, email_digest, first_loose, objects, text
from tracking.ingest.parse.json_decoding import decode
from tracking.ingest.parse.times import tell_time
from tracking.models.hits.hit import Clock
from tracking.routing.switches import switches
from tracking.uuid7 import moment_of


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a batch that hold for all its events. `historical` events did not happen just
    now: their delay says nothing about the sender's clock. `strict` refuses a time that cannot be
    read, where somebody reads the refusals: of a file."""

    context: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None
    sent_at: Any = None
    historical: bool = False
    strict: bool = False

    def fill(self, payload: dict[str, Any]) -> None:
        """Add to the event what only the batch has."""
        for name, given in (("context", self.context), ("integrations", self.integrations)):
            if given:
                own = payload.get(name)
                payload[name] = {**given, **own} if isinstance(own, dict) else own or given


ALONE = Shared()


def parse_event(body: bytes, sender: ClientInfo, shared: Shared = ALONE) -> Arrival:
    """Return an event of a batch, which names its own type. Raises BadRequest."""
    return read_event(decode(body, "It"), body, sender, shared=shared)


def read_event(
    payload: dict[str, Any],
    body: bytes,
    sender: ClientInfo,
    *,
    type: str = "",
    shared: Shared = ALONE,
) -> Arrival:
    """Return the event of the decoded payload. Raises BadRequest."""
    # The write key may be the API token, which is never stored.
    payload.pop("writeKey", None)
    shared.fill(payload)
    type = type or event_type(payload)
    check_objects(payload, ("context", "integrations", "properties", "traits"))
    user_id, anonymous_id = identify(payload, type)
    id = uuid7()
    received_at = moment_of(id)
    given = payload.get("sentAt")
    sent_at, occurred_at, clock = tell_time(
        payload,
        shared.sent_at if given is None else given,
        received_at,
        historical=shared.historical,
    )
    if shared.strict and clock == Clock.UNREADABLE:
        raise BadRequest("field_invalid", "`timestamp` or `sentAt` is not a time.")
    message_id = text(payload.get("messageId"), "messageId")
    keep_private(payload, sender.ip_policy)
    return Arrival(
        id=id,
        token_id=sender.token_id,
        hit_id=message_id or str(id),
        digest=dedup_digest(message_id, body, "messageId") if message_id else None,
        type=type,
        name=event_name(payload, type),
        user_id=user_id,
        anonymous_id=anonymous_id,
        email_hash=first_loose(objects(payload.get("traits"), payload), "emailHash"),
        sent_at=sent_at,
        received_at=received_at,
        occurred_at=occurred_at,
        clock=clock.value,
        ip=sender.ip,
        user_agent=sender.user_agent,
        payload=payload,
        switches=switches(payload.get("integrations") or {}),
        email_digest=email_digest(contacts(payload)),
    )


def contacts(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the places of an e-mail address."""
    context = payload.get("context")
    return objects(
        payload.get("traits"),
        context.get("traits") if isinstance(context, dict) else None,
        payload.get("properties"),
        payload,
    )


def event_type(payload: Mapping[str, Any]) -> str:
    type = payload.get("type")
    if type not in TYPES:
        raise BadRequest("type_invalid", f"`type` must be one of {', '.join(TYPES)}.")
    return str(type)


def identify(payload: Mapping[str, Any], type: str) -> tuple[str, str]:
    """Return the user id and the anonymous id. Raises BadRequest without either, and if the type
    needs further ids."""
    ids = {name: text(payload.get(name), name) for name in ("userId", "anonymousId")}
    for needs_it, name in (("group", "groupId"), ("alias", "previousId")):
        if not text(payload.get(name), name) and type == needs_it:
            raise BadRequest("field_required", f"`{name}` is required.")
    if not any(ids.values()):
        raise BadRequest("user_required", "A userId or an anonymousId is required.")
    return ids["userId"], ids["anonymousId"]


def event_name(payload: Mapping[str, Any], type: str) -> str:
    """Return the name of a track, page or screen event."""
    if type == "track":
        name = text(payload.get("event"), "event")
        if not name:
            raise BadRequest("event_required", "`event` is required: the event's name.")
        return name
    if type in {"page", "screen"}:
        return first_loose(objects(payload, payload.get("properties")), "name")
    return ""
