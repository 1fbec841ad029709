"""The system below Hitstream: disk, partitions, worker and beat, the spools of nodes."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from tracking.health import heartbeats
from tracking.models import AlertRule, NodeSpool
from tracking.models.alerts.alert import Finding
from tracking.models.hits import partitions
from tracking.models.upkeep import disk


def find_full_disk(rule: AlertRule) -> Iterator[Finding]:
    found = disk.measure()
    if found.free_share is not None and found.free_share * 100 < rule.threshold:
        yield Finding(
            subject="disk",
            message=f"{found}. Make the disk larger, or keep hits for fewer days (HIT_DAYS).",
        )


def find_missing_partitions(rule: AlertRule) -> Iterator[Finding]:
    days = partitions.days_ahead()
    ahead = f"{days} day{'s' * (days != 1)} ahead"
    if not partitions.are_enough(days, wanted=rule.threshold):
        yield Finding(
            subject="partitions",
            message=f"Partitions lie {ahead}; without one no hit can be stored. Run "
            "Celery beat, or `manage.py sweep` from cron.",
        )


def find_silent_processes(rule: AlertRule) -> Iterator[Finding]:
    """Find silent processes. Only a round that another process calls can: `manage.py sweep`, or
    beat if the worker is silent."""
    for name, said in heartbeats.silent(seconds=rule.window.total_seconds()).items():
        yield Finding(subject=name, message=str(said))


def find_spooled_hits(rule: AlertRule) -> Iterator[Finding]:
    """Find nodes whose spool has held a hit for too long, or is too full."""
    now = timezone.now()
    for each in NodeSpool.objects.present():
        if each.age(now) >= rule.window or each.share * 100 >= rule.threshold:
            yield Finding(
                subject=f"spool:{each.node}",
                message=f"{each} in the spool of {each.node}. Look whether its web processes run "
                "and reach Postgres.",
            )
