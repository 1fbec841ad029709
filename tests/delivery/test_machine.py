"""No sequence of claims, crashes, answers and replays loses, doubles or strands a delivery.

The machine plays the workers: it claims and settles through the code that the engine uses, on a
real Postgres, and forgets what a killed worker would forget.
"""

import json

from django.db.models.functions import Now
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.support.integrations import add_webhook
from tests.support.ledger import counts, discrepancies
from tests.support.reset import clear
from tracking.connection import OwnConnection
from tracking.delivery.batching import events_of
from tracking.delivery.request_pool import Batch, BatchResult
from tracking.delivery.results import ResultBuffer
from tracking.events import Exchange, Receipt, Transcript
from tracking.exceptions import PermanentError, RetryableError, SetupError
from tracking.ingest.parse.arrival import ClientInfo
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.connection import connect
from tracking.ingest.write.store import store
from tracking.models import DeadLetter, QueuedDelivery, Token
from tracking.models.deliveries.claim import Claim

SAID = Transcript(
    method="POST",
    url="",
    request_headers={},
    request_body="",
    response_headers={},
    response_body="",
)
EXCHANGE = Exchange(status=200, duration=0.1, write=lambda: SAID)
LONG, EXPIRED = 600.0, 0.001


class Deliveries(RuleBasedStateMachine):
    """`under_way` holds what each worker has claimed and not yet settled."""

    #: The connection that stores hits, of the run.
    writing: OwnConnection

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    @initialize(ordered=st.booleans(), max_attempts=st.integers(1, 4))
    def begin(self, ordered: bool, max_attempts: int) -> None:
        self.token, _ = Token.objects.issue(f"machine{Token.objects.count()}")
        self.integration = add_webhook(
            self.token, ordered=ordered, max_attempts=max_attempts, retry_base=0.001
        )
        self.under_way: list[list[Claim]] = []
        self.stored = 0

    @rule(users=st.lists(st.integers(0, 2), min_size=1, max_size=4), again=st.booleans())
    def store(self, users: list[int], again: bool) -> None:
        sender = ClientInfo(token_id=self.token.pk, ip=None, user_agent="")
        numbers = range(self.stored, self.stored + len(users))
        bodies = [
            json.dumps({"hitId": f"h{number}", "userId": f"u{user}", "event": {}}).encode()
            for number, user in zip(numbers, users, strict=True)
        ]
        for _ in range(1 + again):
            store(self.writing, [parse(body, sender) for body in bodies])
        self.stored += len(users)

    @rule(limit=st.integers(1, 5), lease=st.sampled_from([LONG, EXPIRED]))
    def claim(self, limit: int, lease: float) -> None:
        """By one of any number of workers; with a lease that may be over before it answers."""
        claims = QueuedDelivery.objects.claim(
            self.integration, limit=limit, lease=lease, in_order=self.integration.ordered
        ) or QueuedDelivery.objects.claim_suspect(self.integration, lease=lease)
        if claims:
            self.under_way.append(claims)

    @rule(which=st.integers(0, 10))
    def crash(self, which: int) -> None:
        """A worker is killed; its leases end some time."""
        if self.under_way:
            self.under_way.pop(which % len(self.under_way))
            self.expire()

    @rule(
        which=st.integers(0, 10),
        verdict=st.sampled_from(["taken", "some refused", "later", "refused", "setup", "bug"]),
    )
    def answer(self, which: int, verdict: str) -> None:
        """What a worker claimed is answered and written down, halves included."""
        if not self.under_way:
            return
        claims = self.under_way.pop(which % len(self.under_way))
        books = ResultBuffer(self.integration)
        books.open(claims)
        events = events_of(claims, books)
        batches = [Batch(events, 0)] if events else []
        while batches:
            batch = batches.pop()
            refused = {batch.events[0].id: "no"} if verdict == "some refused" else {}
            results: dict[str, Receipt | Exception] = {
                "taken": Receipt(exchange=EXCHANGE),
                "some refused": Receipt(exchange=EXCHANGE, refused=refused),
                "later": RetryableError("later", exchange=EXCHANGE),
                "refused": PermanentError("never", exchange=EXCHANGE),
                "setup": SetupError("who are you", exchange=EXCHANGE),
                "bug": ZeroDivisionError(),
            }
            books.enter(BatchResult(batch, results[verdict]))
            batches += books.take_halves()
        books.write()

    @rule()
    def replay(self) -> None:
        DeadLetter.objects.filter(integration=self.integration).replay()

    @rule(reason=st.sampled_from(["", "legal"]))
    def pause_and_resume(self, reason: str) -> None:
        self.integration.pause(reason=reason, by="anna")
        self.integration.resume(by="anna")

    @invariant()
    def everything_adds_up(self) -> None:
        """Reconcile after each third step, and at the end: a row that is wrong stays wrong."""
        self.steps += 1
        if self.steps % 3 == 0:
            assert discrepancies() == []

    def teardown(self) -> None:
        """Whatever happened, all of it can still be delivered."""
        if not hasattr(self, "integration"):
            return
        self.under_way.clear()
        self.replay()
        # A round ends one delivery at the least: a suspect is claimed alone.
        for _ in range(10 * self.stored + 10):
            if not self.is_queued():
                break
            self.expire()
            self.claim(limit=100, lease=LONG)
            self.answer(0, "taken")
            self.replay()
        assert counts(self.integration).get("delivered", 0) == self.stored
        assert discrepancies() == []
        # The next example begins with empty tables, and so adds up no more than its own rows.
        clear()

    def is_queued(self) -> bool:
        """Return whether anything is still to be delivered."""
        return QueuedDelivery.objects.filter(integration=self.integration).exists()

    def expire(self) -> None:
        """Let every lease end, and every wait for a next attempt, without a delay of what is due:
        that would count as stuck."""
        QueuedDelivery.objects.filter(integration=self.integration, due_at__gt=Now()).update(
            due_at=Now()
        )


def test_no_sequence_of_events_loses_or_strands_a_delivery(transactional_db: None) -> None:
    with connect() as Deliveries.writing:
        run_state_machine_as_test(
            Deliveries,
            settings=settings(
                max_examples=25,
                stateful_step_count=25,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
