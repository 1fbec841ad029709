"""`from tracking import track`: hits from inside Django, in the caller's own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from django.utils import timezone

from tracking import db
from tracking.ingest.errors import BadRequest, Unauthorized
from tracking.ingest.parse.arrival import ClientInfo
from tracking.ingest.parse.body import MAX_BODY, too_large
from tracking.ingest.parse.json_encoding import encode
from tracking.ingest.parse.segment_payload import Shared, parse_event
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.django_connection import borrow_connection
from tracking.ingest.write.store import store
from tracking.models import Token
from tracking.wakeup import wake_dispatcher_on_commit

#: A caller reads what is refused.
STRICT = Shared(strict=True)


def track(
    token: Token | str,
    name: str,
    properties: Mapping[str, Any] | None = None,
    /,
    *,
    user_id: str | int | None = None,
    anonymous_id: str | None = None,
    hit_id: str | None = None,
    sent_at: datetime | date | str | None = None,
    context: Mapping[str, Any] | None = None,
    integrations: Mapping[str, Any] | None = None,
    user: Mapping[str, Any] | None = None,
    **more: Any,
) -> str:
    """Store a hit in the caller's transaction: it exists, and is delivered, once that is committed.
    Returns its hitId.

    `token` is a Token or its name; `user_id` or `anonymous_id` is required. Properties are a
    mapping, in which they may have any name, or further keywords: JSON values, decimals, dates,
    UUIDs, enums and lazy texts. `user` has the traits of the user. `sent_at` is when the event
    happened, by default now; a text is ISO 8601, a date its midnight in the current time zone.
    Without `hit_id` Hitstream makes one. Another sender of the same `hit_id` waits for the caller's
    transaction to end, so pass one only in short transactions.

    Raises BadRequest, a ValueError, for what POST /track would refuse and for what JSON cannot
    hold, and Unauthorized for a token that is unknown, revoked, expired or disabled. Neither harms
    the transaction.
    """
    using = db.write_alias()
    traits = mapping("user", user)
    values = {**mapping("properties", properties), **more}
    ids = given({"userId": user_id, "anonymousId": anonymous_id})
    shared = {
        "sentAt": text_of(sent_at),
        "context": mapping("context", context),
        "integrations": mapping("integrations", integrations),
    }
    # In the shape of POST /track the event's own name and its user are among its properties.
    ours = not {"name", "user"} & values.keys()
    if ours:
        hit = {"hitId": hit_id, "event": {**values, "name": name, "user": {**traits, **ids}}}
    else:
        hit = {"messageId": hit_id, "type": "track", "event": name, "properties": values, **ids}
        if traits:
            shared["context"] = {**mapping("context", context), "traits": traits}
    hit |= {key: value for key, value in shared.items() if value}
    body = encode(given(hit))
    if len(body) > MAX_BODY:
        raise too_large(f"is {len(body):,} bytes", MAX_BODY)
    found = find_token(token, using)
    sender = ClientInfo(token_id=found.pk, ip=None, user_agent="", ip_policy=found.ip_policy)
    arrival = parse(body, sender) if ours else parse_event(body, sender, STRICT)
    (outcome,) = store(borrow_connection(), [arrival], wake_dispatcher_on_commit)
    if isinstance(outcome, Exception):
        raise outcome
    return arrival.hit_id


def mapping(argument: str, value: Any) -> dict[str, Any]:
    """Return the mapping as a dictionary, empty for None. Raises BadRequest for anything else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        message = f"`{argument}` must be a mapping, not a {type(value).__name__}."
        if argument == "user":
            message += ' Pass a property of that name in the mapping: {"user": …}.'
        raise BadRequest("field_invalid", message)
    return dict(value)


def text_of(sent_at: Any) -> str | None:
    """Return the time in ISO 8601; a naive one is in the current time zone. Raises BadRequest."""
    if sent_at is None or isinstance(sent_at, str):
        return sent_at
    if isinstance(sent_at, date) and not isinstance(sent_at, datetime):
        sent_at = datetime.combine(sent_at, time.min)
    if not isinstance(sent_at, datetime):
        raise BadRequest(
            "field_invalid", f"`sent_at` must be a datetime, not a {type(sent_at).__name__}."
        )
    aware = timezone.make_aware(sent_at) if timezone.is_naive(sent_at) else sent_at
    return aware.isoformat()


def find_token(token: Token | str, using: str) -> Token:
    """Return the token as it is now. Raises Unauthorized."""
    tokens = Token.objects.using(using).present()
    wanted = tokens.filter(name=token) if isinstance(token, str) else tokens.filter(pk=token.pk)
    found = wanted.first()
    if found is None or not found.is_usable:
        raise Unauthorized(
            "token_invalid", f"The token {token} is unknown, revoked, expired or disabled."
        )
    return found


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
