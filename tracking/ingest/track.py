"""`from tracking import track`: hits from inside Django, in the caller's own transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from django.utils import timezone
from django.utils.functional import Promise

from tracking import db
from tracking.ingest.errors import BadRequest, Unauthorized
from tracking.ingest.parse.arrival import ClientInfo
from tracking.ingest.parse.body import MAX_BODY, too_large
from tracking.ingest.parse.json_decoding import too_deep
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.django_connection import borrow_connection
from tracking.ingest.write.store import store
from tracking.models import Token
from tracking.wakeup import wake_dispatcher_on_commit


def track(
    token: Token | str,
    name: str,
    /,
    *,
    user_id: str | int | None = None,
    anonymous_id: str | None = None,
    hit_id: str | None = None,
    sent_at: datetime | None = None,
    context: Mapping[str, Any] | None = None,
    integrations: Mapping[str, Any] | None = None,
    **properties: Any,
) -> str:
    """Store a hit in the caller's transaction: it exists, and is delivered, once that is committed.
    Returns its hitId.

    `token` is a Token or its name; `user_id` or `anonymous_id` is required. Properties hold JSON
    values, dates, decimals and UUIDs. `sent_at` is when the event happened, by default now. Without
    `hit_id` Hitstream makes one. Another sender of the same `hit_id` waits for the caller's
    transaction to end, so pass one only in short transactions.

    Raises BadRequest, a ValueError, for what POST /track would refuse, and Unauthorized for a token
    that is unknown, revoked, expired or disabled. Neither harms the transaction.
    """
    using = db.write_alias()
    user = given({"userId": user_id, "anonymousId": anonymous_id})
    hit = {
        "hitId": hit_id,
        "sentAt": aware(sent_at) if sent_at else None,
        "event": {**properties, "name": name, "user": {**properties.get("user", {}), **user}},
        "context": context,
        "integrations": integrations,
    }
    body = encode(given(hit))
    if len(body) > MAX_BODY:
        raise too_large(f"is {len(body):,} bytes", MAX_BODY)
    found = clean_text(token, using)
    sender = ClientInfo(token_id=found.pk, ip=None, user_agent="", ip_policy=found.ip_policy)
    arrival = parse(body, sender)
    (outcome,) = store(borrow_connection(), [arrival], wake_dispatcher_on_commit)
    if isinstance(outcome, Exception):
        raise outcome
    return arrival.hit_id


def clean_text(token: Token | str, using: str) -> Token:
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


def aware(moment: datetime) -> datetime:
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def encode(hit: Mapping[str, Any]) -> bytes:
    """Return the JSON that a client would send; a lone surrogate, as in a file name, is escaped.
    Raises BadRequest: msgspec's own encoder would write null for NaN."""
    try:
        values = msgspec.to_builtins(hit, str_keys=True, enc_hook=plain)
        text = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise too_deep() from None
    except ValueError as error:
        raise BadRequest("json_invalid", f"JSON cannot say the hit: {error}.") from None
    return text.encode(errors="backslashreplace")


def plain(value: Any) -> Any:
    """Convert what msgspec does not know: Django's lazy texts."""
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"A property is a {type(value).__name__}, which JSON cannot say.")
