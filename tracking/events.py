"""The values that travel to destinations: an Event, and what came of sending it. No Django here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a hit says. Destinations see only this.

    `id` is ours and the same on every retry: put it in the vendor's idempotency field.
    Absent texts are "". Times are aware. `payload` is the sender's whole body.
    `options` is what the hit's `integrations` object says to this one integration.
    """

    id: UUID
    hit_id: str
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
    payload: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A request to a vendor and its answer, fit to be kept: secrets masked, bodies cut."""

    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: str
    response_headers: Mapping[str, str]
    response_body: str


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request to a vendor: how it went, and what was said, written down only if asked for.

    `status` is None where no answer came. `duration` is in seconds.
    """

    status: int | None
    duration: float
    write: Callable[[], Said] = field(repr=False)

    @cached_property
    def said(self) -> Said:
        return self.write()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a batch that the vendor answered: `refused` names events and the vendor's
    reason; every other event of the batch was taken."""

    exchange: Exchange
    refused: Mapping[UUID, str] = field(default_factory=dict)
