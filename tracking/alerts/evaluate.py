"""A round of alert evaluation: every rule is evaluated, and its findings are settled.

Two rounds at once do no harm: each rule is settled under a lock on it, and a round skips rules that
the other has locked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from django.db import InterfaceError, OperationalError, connections, transaction
from django.utils import translation

from tracking import db
from tracking.alerts.conditions import deliveries, sources, system
from tracking.models import Alert, AlertRule
from tracking.models.alerts.alert import Finding
from tracking.models.alerts.rule import AlertKind

logger = logging.getLogger(__name__)

AlertCondition = Callable[[AlertRule], Iterable[Finding]]
CONDITIONS: Mapping[str, AlertCondition] = {
    AlertKind.SOURCE: sources.find_silent_tokens,
    AlertKind.RATE: deliveries.find_failing,
    AlertKind.BACKLOG: deliveries.find_backlogs,
    AlertKind.PAUSED: deliveries.find_paused,
    AlertKind.DEAD: deliveries.find_dead_letters,
    AlertKind.DISK: system.find_full_disk,
    AlertKind.PARTITIONS: system.find_missing_partitions,
    AlertKind.HEARTBEAT: system.find_silent_processes,
    AlertKind.SPOOL: system.find_spooled_hits,
}


def evaluate() -> None:
    """Open, keep or resolve alerts by the present rules. Their messages are stored, in English.
    Raises OperationalError."""
    for rule in AlertRule.objects.all():
        try:
            with translation.override(None):
                look(rule)
        except Exception as error:
            # A timeout is this rule's own trouble; a dead database is everybody's.
            if isinstance(error, (OperationalError, InterfaceError)) and is_gone():
                raise
            logger.exception("The rule %s (%s) cannot be evaluated", rule.pk, rule.kind)
    Alert.objects.prune()


def is_gone() -> bool:
    return not connections[db.write_alias()].is_usable()


def look(rule: AlertRule) -> None:
    using = db.write_alias()
    with transaction.atomic(using=using):
        locked = AlertRule.objects.using(using).select_for_update(skip_locked=True)
        current = locked.filter(pk=rule.pk).first()
        if current is not None:
            found = [*CONDITIONS[current.kind](current)] if current.enabled else []
            # From the primary: a replica may lag behind the open alerts.
            Alert.objects.using(using).settle(current, found)
