"""Claim what is due to an integration, send it, settle it, until nothing is due."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from django.db import connections, router

from tracking.conf import conf
from tracking.destinations.base import Destination
from tracking.events import Event
from tracking.exceptions import SetupError
from tracking.models import Hit, Integration, Owed
from tracking.models.owed import FATAL_CLAIMS, Claim
from tracking.outbox.dispatch import due_of
from tracking.outbox.floors import floors
from tracking.outbox.sender import Batch, Sender
from tracking.outbox.settle import Ledger

logger = logging.getLogger(__name__)

#: How long one run goes on while more is due, in seconds; then others have their turn.
RUN_SECONDS = 20.0
#: A destination that answers within this time is given more at once, one that does not less.
PROMPT = 1.0
MAX_ROUNDS = 16

#: Set when the process is told to stop: what is under way is finished, nothing more is claimed.
stopping = threading.Event()


def deliver(integration_id: int) -> bool:
    """What is due is sent, one worker at a time. Whether something is due all the same."""
    with the_only_one(integration_id) as ours:
        integration = Integration.objects.running().filter(pk=integration_id).first()
        if not ours or integration is None:
            return False
        try:
            destination = integration.open()
        except SetupError as error:
            pause(integration, error)
            return False
        run(integration, destination)
    # Who rang while we held the lock was sent away.
    return not stopping.is_set() and bool(due_of([integration_id])) and is_running(integration)


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


def run(integration: Integration, destination: Destination) -> None:
    """Deliveries are claimed and sent until none is due, or the time is up."""
    ends = time.monotonic() + RUN_SECONDS
    rounds = 1
    with Sender(destination) as sender:
        for turn in count():
            claims = claim(integration, destination, rounds, suspects_first=turn % 2 == 0)
            if not claims:
                return
            started = time.monotonic()
            ledger = Ledger(integration, claims)
            send(claims, ledger, destination, sender)
            tell(ledger)
            if ledger.setup_error is not None:
                pause(integration, ledger.setup_error)
                return
            if stopping.is_set() or time.monotonic() > ends or not is_running(integration):
                return
            prompt = time.monotonic() - started < PROMPT
            rounds = min(rounds * 2, MAX_ROUNDS) if prompt else 1


def is_running(integration: Integration) -> bool:
    return Integration.objects.running().filter(pk=integration.pk).exists()


def claim(
    integration: Integration, destination: Destination, rounds: int, *, suspects_first: bool
) -> list[Claim]:
    """What goes out in so many rounds of requests, or a suspect to be sent alone."""
    lease = destination.timeout * rounds + conf.LEASE_SLACK

    def suspect() -> list[Claim]:
        return Owed.objects.claim_suspect(integration.pk, lease=lease)

    def ordinary() -> list[Claim]:
        claims = Owed.objects.claim(
            integration.pk,
            limit=destination.batch_size * conf.CONCURRENCY * rounds,
            lease=lease,
            floor=floors.get("claim", integration.pk),
        )
        if claims:
            floors.raise_to(integration.pk, max(claim.was_due_at for claim in claims))
        return claims

    return suspect() or ordinary() if suspects_first else ordinary() or suspect()


def send(claims: list[Claim], ledger: Ledger, destination: Destination, sender: Sender) -> None:
    """Every claim is settled, postponed or given back."""
    sender.start(pack(events_of(claims, ledger), destination))
    while sent := sender.next():
        for each in sent:
            ledger.enter(each)
        if ledger.setup_error is None and is_running(ledger.integration):
            sender.start(ledger.take_halves())
        else:
            for batch in [*sender.take_waiting(), *ledger.take_halves()]:
                ledger.give_back(batch)
        ledger.write()
    ledger.write()


def events_of(claims: list[Claim], ledger: Ledger) -> list[Event]:
    """What is to be sent; what cannot be is entered into the ledger."""
    hits = Hit.objects.using(router.db_for_write(Hit)).in_bulk(
        [claim.hit_id for claim in claims if claim.claims <= FATAL_CLAIMS]
    )
    events = []
    for claim in claims:
        if claim.claims > FATAL_CLAIMS:
            message = (
                f"{claim.claims - 1} times no worker came back from sending it, at last alone."
            )
            ledger.bury_unsent(claim, "worker_killed", message)
        elif claim.hit_id not in hits:
            ledger.bury_unsent(claim, "hit_missing", "The hit is not stored any more.")
        else:
            events.append(hits[claim.hit_id].event_for(ledger.integration))
    return events


def pack(events: list[Event], destination: Destination) -> list[Batch]:
    """The destination's own batches; each event alone where it cannot make them."""
    try:
        return list(destination.batches(events))
    except Exception:
        logger.exception("%s cannot pack its events", destination.slug)
        return [[event] for event in events]


def tell(ledger: Ledger) -> None:
    counts = ", ".join(f"{count} {result}" for result, count in ledger.results.most_common())
    if counts:
        logger.info("%s: %s", ledger.integration, counts)


def pause(integration: Integration, error: SetupError) -> None:
    """The integration is paused, unless it has been changed or paused by somebody meanwhile."""
    now = Integration.objects.running().filter(pk=integration.pk).first()
    if now is None or (now.config, now.secrets) != (integration.config, integration.secrets):
        return
    logger.warning("%s is paused: %s", integration, error)
    integration.pause(reason=str(error), by="hitstream")
