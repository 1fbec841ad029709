"""Claim what is due to an integration, send it, settle it, until nothing is due."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, router

from tracking.conf import conf
from tracking.destinations.base import Destination
from tracking.exceptions import SetupError
from tracking.models import Hit, Integration, Owed
from tracking.models.owed import FATAL_CLAIMS, Claim
from tracking.outbox.floors import floors
from tracking.outbox.sender import Sender
from tracking.outbox.settle import Ledger

logger = logging.getLogger(__name__)

#: How long one run goes on while more is due, in seconds; then others have their turn.
RUN_SECONDS = 20.0
#: Claimed at once, in multiples of what is in flight at once.
ROUNDS = 4


def deliver(integration_id: int) -> bool:
    """What is due is sent, one worker at a time. Whether more is due after this run's time."""
    with the_only_one(integration_id) as ours:
        integration = Integration.objects.running().filter(pk=integration_id).first()
        if not ours or integration is None:
            return False
        try:
            destination = integration.open()
        except SetupError as error:
            pause(integration, error)
            return False
        return run(integration, destination)


@contextmanager
def the_only_one(integration_id: int) -> Iterator[bool]:
    """Whether no other worker delivers to the integration meanwhile; the lock dies with us."""
    connection = connections[router.db_for_write(Owed)]
    names = ("hitstream-deliver", integration_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s), %s)", names)
        ours: bool = cursor.fetchone()[0]
    try:
        yield ours
    finally:
        if ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s), %s)", names)


def run(integration: Integration, destination: Destination) -> bool:
    ends = time.monotonic() + RUN_SECONDS
    with Sender(destination) as sender:
        while claims := claim(integration, destination):
            ledger = Ledger(integration, claims)
            send(claims, ledger, destination, sender)
            tell(ledger)
            if ledger.setup_error is not None:
                pause(integration, ledger.setup_error)
                return False
            if time.monotonic() > ends:
                return True
            if not Integration.objects.running().filter(pk=integration.pk).exists():
                return False
    return False


def claim(integration: Integration, destination: Destination) -> list[Claim]:
    claims = Owed.objects.claim(
        integration.pk,
        limit=destination.batch_size * conf.CONCURRENCY * ROUNDS,
        lease=destination.timeout * ROUNDS + conf.LEASE_SLACK,
        floor=floors.get("claim", integration.pk),
    )
    if claims:
        floors.raise_to(integration.pk, max(claim.was_due_at for claim in claims))
    return claims


def send(claims: list[Claim], ledger: Ledger, destination: Destination, sender: Sender) -> None:
    """Every claim is settled, postponed or given back."""
    hits = Hit.objects.in_bulk([claim.hit_id for claim in claims])
    events = []
    for claim in claims:
        if claim.claims > FATAL_CLAIMS:
            ledger.bury_killer(claim)
        elif claim.hit_id not in hits:
            ledger.cancel(claim, "The hit is no longer stored.")
        else:
            events.append(hits[claim.hit_id].event_for(ledger.integration))
    sender.start(destination.batches(events))
    while sent := sender.next():
        for each in sent:
            ledger.enter(each)
        ledger.write()
        if ledger.setup_error is None:
            sender.start(ledger.take_halves())
    ledger.write()


def tell(ledger: Ledger) -> None:
    counts = ", ".join(f"{count} {result}" for result, count in ledger.results.most_common())
    if counts:
        logger.info("%s: %s", ledger.integration, counts)


def pause(integration: Integration, error: SetupError) -> None:
    logger.warning("%s is paused: %s", integration, error)
    integration.pause(reason=str(error), by="hitstream")
