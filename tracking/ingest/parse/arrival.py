"""A hit on its way into the database, and who sent it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from uuid import UUID

import msgspec

from tracking.ingest.parse.json_decoding import exact_text
from tracking.models.tokens.privacy import IpPolicy, apply_ip_policy
from tracking.routing.switches import Switches


class ClientInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who sent the request: the token, and the connection as far as it may be kept."""

    token_id: int
    ip: str | None
    user_agent: str
    ip_policy: str = IpPolicy.KEEP.value


class Arrival(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Its JSON is one row of the storing statement.

    `digest` is the dedup key of a hitId that the sender chose, None of one that we made.
    `clock` is the rule that gave `occurred_at`, a `tracking.models.hits.hit.Clock`.
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
    clock: str
    ip: str | None
    user_agent: str
    payload: dict[str, Any]
    switches: Switches | None
    copies: int = 1


def dedup_digest(hit_id: str, body: bytes, name: str) -> UUID:
    """Of the id as it was sent under the name: two that differ in what had to be replaced are
    two."""
    exact = exact_text(body, name) if "\ufffd" in hit_id else hit_id
    return UUID(bytes=hashlib.sha256(exact.encode()).digest()[:16])


def keep_private(payload: dict[str, Any], ip_policy: str) -> None:
    """What the policy does not let us keep is not in the payload's context either."""
    context = payload.get("context")
    if ip_policy == IpPolicy.KEEP or not isinstance(context, dict) or "ip" not in context:
        return
    try:
        kept = apply_ip_policy(ip_policy, str(ip_address(context["ip"])))
    except ValueError:
        kept = None
    payload["context"] = {name: value for name, value in context.items() if name != "ip"}
    if kept is not None:
        payload["context"]["ip"] = kept
