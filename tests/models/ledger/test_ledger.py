"""Counts that are exact, and a reconciliation that finds what was tampered with."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.support.hits import Send, basic, hit
from tests.support.integrations import add_webhook
from tests.support.ledger import counts, discrepancies
from tests.support.vendor import open_vendor, reply
from tracking.delivery.engine import engine
from tracking.ingest.parse.arrival import ClientInfo
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.connection import connect
from tracking.ingest.write.refusals import refusals
from tracking.ingest.write.store import store
from tracking.models import DeadLetter, Hit, Ledger, Outcome, QueuedDelivery, Tally, Token
from tracking.models.ledger.ledger import TallyKind
from tracking.uuid7 import first_uuid7, quarter_hour_of


def reconciled() -> str:
    out = StringIO()
    call_command("reconcile", stdout=out)
    return out.getvalue()


def test_accepted_is_stored_and_duplicate_also_within_one_statement(token: Token) -> None:
    sender = ClientInfo(token_id=token.pk, ip=None, user_agent="")
    bodies = [b'{"hitId": "%s", "userId": "u", "event": {}}' % name for name in (b"a", b"b", b"a")]
    with connect() as connection:
        store(connection, [parse(body, sender) for body in [*bodies, b'{"userId":"u","event":{}}']])
        store(connection, [parse(body, sender) for body in bodies])
    assert Hit.objects.count() == 3
    assert counts() == {"accepted": 7, "duplicate": 4}
    assert discrepancies() == []


def test_what_is_matched_is_delivered_dead_or_owed(send: Send, token: Token) -> None:
    with open_vendor(reply()) as vendor:
        integration = add_webhook(token, vendor.url)
        only = add_webhook(token, vendor.url, name="Some", event_names=["Bought"])
        vendor.judge = lambda received, connection: reply(
            {"h0": 400, "h1": 503}.get(received.json["data"]["hitId"], 200)
        )(connection)
        for number in range(5):
            send(hit(hitId=f"h{number}"))
        send(hit(hitId="off", integrations={"Webhook": False}))
        engine.run()
    assert counts(integration) == {"matched": 5, "delivered": 3, "dead": 1}
    assert counts(only) == {}
    assert QueuedDelivery.objects.count() == 1
    assert discrepancies() == []


def test_rolling_up_changes_no_count(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    for number in range(3):
        send(hit(hitId=f"h{number}"))
        send(hit(hitId="h0"))
    before = counts(), counts(integration)
    assert Ledger.objects.consolidate() > 0
    assert not Tally.objects.exists()
    assert (counts(), counts(integration)) == before
    send(hit(hitId="later"))
    Ledger.objects.consolidate()
    assert counts()["accepted"] == before[0]["accepted"] + 1
    assert Ledger.objects.filter(kind="accepted").count() == 1


def test_the_quarter_of_an_hour_is_that_of_the_hits_id(send: Send, token: Token) -> None:
    send(hit())
    stored = Hit.objects.get()
    assert Tally.objects.get(kind="accepted").quarter_hour == quarter_hour_of(stored.received_at)


def test_python_and_postgres_cut_quarters_of_an_hour_alike(transactional_db: None) -> None:
    first = datetime(2026, 11, 26, 7, 0, tzinfo=UTC)
    moments = [first + timedelta(minutes=7, seconds=1) * number for number in range(30)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hitstream_quarter_hour(id) FROM unnest(%s::uuid[]) AS id",
            [[first_uuid7(moment) for moment in moments]],
        )
        assert [row[0] for row in cursor.fetchall()] == [*map(quarter_hour_of, moments)]


def test_refusals_are_counted_by_token_and_code(send: Send, token: Token) -> None:
    refusals.write()
    Tally.objects.all().delete()
    send(b"not json")
    send(hit(event=1))
    send(hit(), authorization=basic("stranger"))
    refusals.write()
    found = {
        (tally.token_id, tally.reason): tally.count
        for tally in Tally.objects.filter(kind=TallyKind.REFUSED)
    }
    assert found == {
        (token.pk, "json_invalid"): 1,
        (token.pk, "event_required"): 1,
        (0, "token_invalid"): 1,
    }


class TestReconcile:
    """Each kind of damage is found, and the hits are named."""

    @pytest.fixture
    def ids(self, send: Send, token: Token) -> list[Any]:
        """Hits of which the first is delivered, the second dead and the third queued."""
        with open_vendor(reply()) as vendor:
            add_webhook(token, vendor.url)
            vendor.judge = lambda received, connection: reply(
                {"h1": 400, "h2": 503}.get(received.json["data"]["hitId"], 200)
            )(connection)
            for number in range(3):
                send(hit(hitId=f"h{number}"))
            engine.run()
        assert "Everything adds up" in reconciled()
        return list(Hit.objects.order_by("hit_id").values_list("pk", flat=True))

    def check(self, *words: object) -> None:
        out = StringIO()
        with pytest.raises(CommandError, match="discrepancies found"):
            call_command("reconcile", stdout=out)
        for word in words:
            assert str(word) in out.getvalue()

    def test_an_owed_delivery_that_vanished(self, ids: list[Any]) -> None:
        QueuedDelivery.objects.all().delete()
        self.check("left no trace", ids[2])

    def test_an_outcome_that_vanished(self, ids: list[Any]) -> None:
        Outcome.objects.filter(result="delivered").delete()
        self.check("left no trace", ids[0], "1 counted as delivered, 0 present")

    def test_a_dead_letter_that_vanished(self, ids: list[Any]) -> None:
        DeadLetter.objects.all().delete()
        self.check("left no trace", ids[1], "1 counted as dead, 0 present")

    def test_a_hit_that_vanished(self, ids: list[Any]) -> None:
        Hit.objects.filter(pk=ids[0]).delete()
        self.check("3 hits counted as new, 2 stored")

    def test_a_delivery_in_two_states(self, ids: list[Any]) -> None:
        delivered = Outcome.objects.get(hit_id=ids[0])
        QueuedDelivery.objects.create(
            token_id=delivered.token_id,
            hit_id=ids[0],
            integration_id=delivered.integration_id,
            due_at=datetime.now(UTC),
        )
        self.check("delivered and queued", ids[0])

    def test_a_delivery_that_nobody_sends(self, ids: list[Any]) -> None:
        QueuedDelivery.objects.update(due_at=datetime.now(UTC) - timedelta(hours=1))
        self.check("nobody sends", ids[2])

    def test_a_count_that_was_lost(self, ids: list[Any]) -> None:
        Ledger.objects.filter(kind="matched").delete()
        self.check("0 counted as matched, 3 present")
