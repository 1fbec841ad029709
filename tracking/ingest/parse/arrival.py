"""A hit on its way into the database, and its client."""

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
    """The client of the request: its token, and of its connection what may be kept."""

    token_id: int
    ip: str | None
    user_agent: str
    ip_policy: str = IpPolicy.KEEP.value


class Arrival(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A hit to store. As JSON it is one row of the statement `store`.

    `digest` is the dedup key of a hitId that the sender chose, None if Hitstream made the id.
    `clock` is the rule that gave `occurred_at`, a `tracking.models.hits.hit.Clock`. `switches` is
    what the hit's `integrations` object switches off and on; None for nothing. `copies` counts its
    arrivals within the batch.
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
    email_digest: UUID | None = None


def dedup_digest(hit_id: str, body: bytes, name: str) -> UUID:
    """Return the digest of the id as it was sent under `name`: two ids that differ only in replaced
    characters stay different."""
    exact = exact_text(body, name) if "\ufffd" in hit_id else hit_id
    return UUID(bytes=hashlib.sha256(exact.encode()).digest()[:16])


def keep_private(payload: dict[str, Any], ip_policy: str) -> None:
    """Remove from the payload's context the address that the policy does not keep."""
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
