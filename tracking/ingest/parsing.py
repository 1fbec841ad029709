"""From the bytes of a body to an Arrival: everything that can be refused is refused here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from types import NoneType
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from tracking.destinations.switches import Switches, switches
from tracking.ingest.decoding import decode, exact_text
from tracking.ingest.errors import BadRequest

MAX_TEXT = 255
MAX_USER_AGENT = 512

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ISO_8601 = re.compile(r"[0-9W-]{8,10}([Tt ][0-9:.,Zz+-]+)?")


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who sent the request: the token, and the connection as the server saw it."""

    token_id: int
    ip: str | None
    user_agent: str


class Arrival(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A hit on its way into the database; its JSON is one row of the storing statement.

    `digest` is the dedup key of a hitId that the sender chose, None of one that we made.
    `switches` is what the hit's `integrations` object switches off and on; None for nothing.
    `copies` is how often it arrived within its batch.
    """

    id: UUID
    token_id: int
    hit_id: str
    digest: UUID | None
    type: str
    name: str
    user_id: str
    anonymous_id: str
    email_hash: str
    sent_at: datetime
    received_at: datetime
    occurred_at: datetime
    ip: str | None
    user_agent: str
    payload: dict[str, Any]
    switches: Switches | None
    copies: int = 1


def parse(body: bytes, sender: Sender) -> Arrival:
    """The hit that the body says; raises BadRequest with what to mend."""
    payload = decode(body)
    event = payload.get("event")
    if not isinstance(event, dict):
        raise BadRequest("event_required", "`event` is required and must be an object.")
    for key in ("context", "integrations"):
        if not isinstance(payload.get(key), (dict, NoneType)):
            raise BadRequest("field_invalid", f"`{key}` must be an object.")
    users = [event.get("user"), payload.get("user"), payload]
    user_id = first_text(users, "userId")
    anonymous_id = first_text(users, "anonymousId")
    if not user_id and not anonymous_id:
        raise BadRequest(
            "user_required", "A userId or an anonymousId is required, best in `event.user`."
        )
    id = uuid7()
    received_at = time_in(id)
    sent_at = moment(payload.get("sentAt")) or received_at
    hit_id = text(payload.get("hitId"), "hitId")
    return Arrival(
        id=id,
        token_id=sender.token_id,
        hit_id=hit_id or str(id),
        digest=dedup_digest(hit_id, body) if hit_id else None,
        type="track",
        name=event_name(event.get("name")),
        user_id=user_id,
        anonymous_id=anonymous_id,
        email_hash=first_loose(users, "emailHash"),
        sent_at=sent_at,
        received_at=received_at,
        occurred_at=sent_at,
        ip=sender.ip,
        user_agent=sender.user_agent,
        payload=payload,
        switches=switches(payload.get("integrations") or {}),
    )


def time_in(id: UUID) -> datetime:
    """The millisecond in which the UUIDv7 was made: so a hit's partition, its hour in the ledger
    and its time of receipt agree."""
    return EPOCH + timedelta(milliseconds=id.int >> 80)


def text(value: Any, name: str) -> str:
    """An id as text: a number becomes its digits, null is absent; raises BadRequest."""
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise BadRequest("field_invalid", f"`{name}` must be a string.")
    if len(value) > MAX_TEXT:
        raise BadRequest(
            "field_too_long", f"`{name}` is {len(value)} characters; the limit is {MAX_TEXT}."
        )
    return value


def first_text(places: list[Any], name: str) -> str:
    """The first of the places that holds the id; each that is there must be good."""
    found = [text(place.get(name), name) for place in places if isinstance(place, Mapping)]
    return next(filter(None, found), "")


def first_loose(places: list[Any], name: str) -> str:
    """A free-form property for a column: never a reason to refuse a hit."""
    found = [place.get(name) for place in places if isinstance(place, Mapping)]
    return next((value for value in found if isinstance(value, str)), "")[:MAX_TEXT]


def event_name(value: Any) -> str:
    return text(value, "event.name") if not isinstance(value, (dict, list, bool)) else ""


def moment(value: Any) -> datetime | None:
    """An ISO-8601 time, in UTC unless it says otherwise; None for none; raises BadRequest."""
    if value is None:
        return None
    try:
        if not ISO_8601.fullmatch(value):
            raise ValueError(value)
        parsed = datetime.fromisoformat(value.upper())
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise BadRequest("field_invalid", "`sentAt` must be an ISO-8601 time.") from None


def dedup_digest(hit_id: str, body: bytes) -> UUID:
    """Of the hitId as it was sent: two that differ in what had to be replaced are two."""
    exact = exact_text(body, "hitId") if "\ufffd" in hit_id else hit_id
    return UUID(bytes=hashlib.sha256(exact.encode()).digest()[:16])


@lru_cache(maxsize=10_000)
def clean_ip(address: str) -> str | None:
    """The address as Postgres takes it: IPv4 out of IPv6, no zone; None for a unix socket's."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)
