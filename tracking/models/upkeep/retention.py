"""Retention: drops old days, unless a delivery still needs them.

Ingest never waits for it: a partition is detached CONCURRENTLY, and no statement waits long for a
lock. Through a pooler, ingest waits for a tenth of a second at most: DETACH CONCURRENTLY allows no
transaction, and only in one has the statement a timeout for its lock.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import OperationalError
from django.utils.translation import gettext, gettext_noop

from tracking import db
from tracking.conf import conf
from tracking.connection import is_pooled
from tracking.models.analytics.rollup import Rollup
from tracking.models.deliveries.dead_letter import DeadLetter
from tracking.models.deliveries.queue import QueuedDelivery
from tracking.models.hits.partitions import Partition
from tracking.models.integrations.integration import Integration
from tracking.models.upkeep.maintenance import DDL_LOCK_TIMEOUT, DDL_TRIES
from tracking.sql import load

logger = logging.getLogger(__name__)

SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class Pruned:
    """The dropped partitions, and for each one that must stay the reason."""

    dropped: list[str]
    kept: dict[str, str]


def prune() -> Pruned:
    """Drop the hits, outcomes and attempts past retention, except days that deliveries still need,
    and the analytics of the dropped days."""
    pruned = Pruned([], {})
    today = datetime.now(UTC).date()
    if conf.HIT_DAYS is not None:
        Rollup.objects.forget(today - timedelta(days=conf.HIT_DAYS))
    for partition in past(today):
        reason = why_needed(partition) or drop(partition)
        if reason:
            pruned.kept[partition.name] = reason
            logger.warning("%s is kept: %s", partition.name, reason)
        else:
            pruned.dropped.append(partition.name)
    return pruned


def held() -> tuple[date, str] | None:
    """Return the oldest day that is kept beyond its time, and why; None without one."""
    for partition in past(datetime.now(UTC).date()):
        if need := need_of(partition):
            text, integration = need
            return partition.day, gettext(text) % {"integration": integration}
    return None


def past(today: date) -> list[Partition]:
    """Return the partitions past retention, oldest first."""
    days = {
        "hitstream_hit": conf.HIT_DAYS,
        "hitstream_outcome": conf.HIT_DAYS,
        "hitstream_attempt": conf.ATTEMPT_DAYS,
    }
    with db.write_cursor() as cursor:
        cursor.execute(SQL["partitions"])
        partitions = [Partition.named(name) for name, _, _ in cursor.fetchall()]
    over = [
        partition
        for partition in partitions
        if (kept := days[partition.parent]) is not None
        and partition.day < today - timedelta(days=kept)
    ]
    return sorted(over, key=lambda partition: (partition.day, partition.parent))


def why_needed(partition: Partition) -> str:
    """Return whose deliveries still need the hits of the partition's day, for logs; empty if none
    do."""
    if need := need_of(partition):
        text, integration = need
        return text % {"integration": integration}
    return ""


def need_of(partition: Partition) -> tuple[str, Integration] | None:
    """Return the text that says why the partition's hits are needed, and an integration whose
    deliveries need them; None if none do."""
    if partition.parent == "hitstream_attempt":
        return None
    low, high = partition.bounds
    alias = db.write_alias()
    queued = QueuedDelivery.objects.using(alias).filter(hit_id__gte=low, hit_id__lt=high)
    # Deliveries of a deleted integration cannot be replayed.
    letters = DeadLetter.objects.using(alias).filter(integration__deleted_at=None)
    dead = letters.filter(hit_id__gte=low, hit_id__lt=high)
    for rows, text in (
        (queued, gettext_noop("hits are queued to %(integration)s")),
        (dead, gettext_noop("there are dead letters of %(integration)s")),
    ):
        found = rows.order_by("hit_id").values_list("integration", flat=True).first()
        if found is not None:
            integration = Integration.objects.using(alias).select_related("token").get(pk=found)
            return text, integration
    return None


def drop(partition: Partition) -> str:
    """Drop the partition. Returns the reason if another session holds on to it."""
    for _ in range(DDL_TRIES):
        try:
            _drop(partition)
        except OperationalError as error:
            reason = str(error).splitlines()[0]
            time.sleep(DDL_LOCK_TIMEOUT)
        else:
            return ""
    return reason


def _drop(partition: Partition) -> None:
    with db.write_cursor() as cursor:
        # Citus detaches no partition beside readers.
        in_transaction = is_pooled(cursor) or db.is_distributed()
    (_drop_in_transaction if in_transaction else _drop_detached)(partition)


def _drop_in_transaction(partition: Partition) -> None:
    """Drop the partition where it cannot be detached first. Ingest may wait as long as this
    statement does for its lock."""
    with db.atomic(), db.write_cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{DDL_LOCK_TIMEOUT}s"])
        cursor.execute(f"DROP TABLE {partition.name}")


def _drop_detached(partition: Partition) -> None:
    """Detach the partition, or finish what an earlier attempt began, then drop it. Each statement
    stands alone: DETACH CONCURRENTLY allows no transaction around it."""
    with db.write_cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{DDL_LOCK_TIMEOUT}s"])
        try:
            cursor.execute(SQL["partitions"])
            state = {name: (pending, attached) for name, pending, attached in cursor.fetchall()}
            pending, attached = state[partition.name]
            if attached:
                how = "FINALIZE" if pending else "CONCURRENTLY"
                cursor.execute(
                    f"ALTER TABLE {partition.parent} DETACH PARTITION {partition.name} {how}"
                )
            cursor.execute(f"DROP TABLE {partition.name}")
        finally:
            cursor.execute("RESET lock_timeout")
