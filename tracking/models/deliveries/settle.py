"""The results of claimed deliveries, written in one statement: the queue, the dead letters, the
outcomes, the attempts and the tallies change together or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connections, transaction

from tracking import db
from tracking.models.deliveries.outcome import DeliveryResult
from tracking.models.integrations.failing import Streak
from tracking.models.integrations.integration import Integration
from tracking.sql import load

SQL = load(__file__)


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one claimed delivery; `result` is empty for a delivery that is given back.

    `attempts` counts the attempts, this one included; `wait` is in seconds from now, for failed
    deliveries and those given back.
    """

    hit_id: UUID
    leased_until: datetime
    result: DeliveryResult | str
    attempts: int
    attempt_id: UUID | None = None
    code: str = ""
    reason: str = ""
    wait: float = 0.0


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the attempts: see `tracking.models.deliveries.attempt`."""

    id: UUID
    made_at: datetime
    hits: int
    failed_hits: int = 0
    code: str = ""
    message: str = ""
    status: int | None = None
    duration: float = 0.0
    method: str = ""
    url: str = ""
    request_headers: dict[str, str] = {}
    request_body: str = ""
    response_headers: dict[str, str] = {}
    response_body: str = ""


def settle(
    integration: Integration,
    entries: Sequence[Settlement],
    attempts: Sequence[AttemptRecord],
    streak: Streak | None = None,
    *,
    is_shared: bool = False,
) -> int | None:
    """Write the results and the attempts in one commit, and with them the integration's failures in
    a row. Returns how many these are, None without a streak. `is_shared`: others may claim from the
    integration at the same time."""
    parameters: dict[str, Any] = {
        "integration": integration.pk,
        "token": integration.token_id,
        "entries": msgspec.json.encode(entries).decode(),
        "attempts": msgspec.json.encode(attempts).decode(),
    }
    alias = db.write_alias()
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(SQL["settle"], parameters)
        ordering_keys = cursor.fetchone()[0]
        if ordering_keys:
            cursor.execute(
                SQL["release_shared" if is_shared else "release"],
                {
                    "token": integration.token_id,
                    "integration": integration.pk,
                    "ordering_keys": ordering_keys,
                },
            )
        if streak is None:
            return None
        cursor.execute(
            SQL["streak"], {"integration": integration.pk, **msgspec.structs.asdict(streak)}
        )
        return int(cursor.fetchone()[0])
