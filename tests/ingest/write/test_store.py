"""The storing statement: both or neither, once, whoever else writes."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest
from django.db import connection, connections
from psycopg import errors

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tracking import db
from tracking.ingest.errors import BadRequest
from tracking.ingest.parse.arrival import Arrival, ClientInfo
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.connection import connect
from tracking.ingest.write.outcome import Stored
from tracking.ingest.write.store import store, writer
from tracking.models import Hit, HitKey, QueuedDelivery, Token
from tracking.models.hits import partitions
from tracking.models.upkeep import maintenance


def arrive(token: Token, body: bytes) -> Arrival:
    return parse(body, ClientInfo(token_id=token.pk, ip=None, user_agent=""))


def arrivals(token: Token, hit_ids: list[str]) -> list[Arrival]:
    body = b'{"hitId": "%s", "userId": "u", "event": {}}'
    return [arrive(token, body % hit_id.encode()) for hit_id in hit_ids]


def test_a_batch_gives_each_hit_its_own_outcome(token: Token) -> None:
    with connect() as own:
        store(own, arrivals(token, ["a"]))
        outcomes = store(own, arrivals(token, ["b", "a", "b", "c"]))
    assert outcomes == [Stored.NEW, Stored.DUPLICATE, Stored.DUPLICATE, Stored.NEW]
    assert sorted(Hit.objects.values_list("hit_id", flat=True)) == ["a", "b", "c"]


def test_a_poison_row_fails_alone(token: Token) -> None:
    add_webhook(token)
    good = arrivals(token, [str(number) for number in range(9)])
    # What the parser lets nobody send: a value that a column cannot hold.
    poison = Arrival(
        **{**{f: getattr(good[0], f) for f in good[0].__struct_fields__}, "ip": "moon"}
    )
    batch = [*good[1:5], poison, *good[5:]]
    with connect() as own:
        outcomes = store(own, batch)
    refused = [outcome for outcome in outcomes if isinstance(outcome, BadRequest)]
    assert [outcomes.index(error) for error in refused] == [4]
    assert Hit.objects.count() == QueuedDelivery.objects.count() == 8


def test_on_a_cluster_a_poison_row_repeats_no_hit_of_another_token(
    token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One server stands for the cluster: what counts is that each token has its own statement."""
    monkeypatch.setattr(db, "is_distributed", lambda: True)
    other, _ = Token.objects.issue("other")
    good = arrive(token, b'{"userId": "u", "event": {}}')
    poison = msgspec.structs.replace(*arrivals(other, ["bad"]), ip="moon")
    with connect() as own:
        outcomes = store(own, [good, poison])
    assert outcomes[0] is Stored.NEW
    assert isinstance(outcomes[1], BadRequest)


def test_a_hit_and_what_it_owes_are_stored_together_or_not_at_all(token: Token) -> None:
    add_webhook(token)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE hitstream_queue ADD CONSTRAINT none CHECK (claims <> 0)")
    try:
        with connect() as own, pytest.raises(errors.CheckViolation):
            store(own, arrivals(token, ["a"]))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE hitstream_queue DROP CONSTRAINT none")
    assert not Hit.objects.exists()
    assert not HitKey.objects.exists()


def test_two_writers_with_the_same_hits_do_not_deadlock(token: Token) -> None:
    ids = [str(number) for number in range(60)]

    def write(order: int) -> list[Stored | Exception]:
        with connect() as own:
            return [
                outcome for _ in range(15) for outcome in store(own, arrivals(token, ids[::order]))
            ]

    with ThreadPoolExecutor(2) as pool:
        outcomes = [outcome for result in pool.map(write, [1, -1]) for outcome in result]
    assert outcomes.count(Stored.NEW) == len(ids) == Hit.objects.count()
    assert outcomes.count(Stored.DUPLICATE) == 29 * len(ids)


def test_many_threads_with_one_hit_id_store_one_hit(send: Send) -> None:
    barrier = threading.Barrier(12)

    def race(_: int) -> int:
        barrier.wait()
        try:
            return int(send(hit(hitId="same")).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(race, range(12))) == {204}
    assert Hit.objects.count() == 1


def test_a_foreign_transaction_on_a_hit_id_stalls_only_that_hit(
    token: Token, settings: Any
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "LOCK_TIMEOUT": 1.0}
    with connect() as other, connect() as own, other.transaction():
        store(other, arrivals(token, ["held"]))
        outcomes = store(own, arrivals(token, ["a", "held", "b"]))
    assert [outcomes[0], outcomes[2]] == [Stored.NEW, Stored.NEW]
    assert getattr(outcomes[1], "status", None) == 503


def test_many_foreign_hit_ids_stall_the_others_no_longer_than_one(
    token: Token, settings: Any
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "LOCK_TIMEOUT": 1.0}
    held = [f"held{number}" for number in range(12)]
    with connect() as other, connect() as own, other.transaction():
        store(other, arrivals(token, held))
        with ThreadPoolExecutor(1) as thread:
            begun = thread.submit(store, own, arrivals(token, [*held, "a", "b"]))
            # Waiting a second for each of them, it would take more than twelve.
            outcomes = begun.result(timeout=8)
        ((patience,),) = own.execute("SHOW lock_timeout").fetchall()
    assert outcomes[-2:] == [Stored.NEW, Stored.NEW]
    assert {getattr(outcome, "status", None) for outcome in outcomes[:-2]} == {503}
    assert patience == "1s"


def test_a_missing_partition_is_made_when_a_hit_needs_it(send: Send) -> None:
    with connection.cursor() as cursor:
        cursor.execute(partitions.SQL["partitions"], {"tables": list(partitions.PARTITIONED)})
        for (leaf,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {leaf}")
    assert partitions.days_ahead() < 0
    assert send(hit()).status_code == 204
    assert partitions.days_ahead() == 1


def test_old_dedup_keys_are_forgotten(send: Send, settings: Any) -> None:
    send(hit(hitId="old"))
    assert maintenance.prune_keys() == 0
    settings.HITSTREAM = {**settings.HITSTREAM, "DEDUP_WINDOW": 0.001}
    assert maintenance.prune_keys() == 1
    assert not HitKey.objects.exists()


@pytest.mark.parametrize(
    ("integrations", "queued"),
    [
        (None, {"first", "second"}),
        ({}, {"first", "second"}),
        ({"All": False}, set()),
        ({"All": False, "FIRST": True}, {"first"}),
        ({"*": False, "@webhook": False}, {"first", "second"}),
        ({"Webhook": None}, {"first", "second"}),
        ({"Webhook": False}, set()),
        ({"webhook": False, "second": True}, {"second"}),
        ({"first": False}, {"second"}),
        ({"First": True, "first": False}, {"second"}),
        ({"First": False, "first": True}, {"second"}),
        ({"first": {"option": 1}, "All": False}, {"first"}),
        ({"Mixpanel": False, "Google Analytics": {"clientId": "1"}}, {"first", "second"}),
    ],
)
def test_a_hit_switches_integrations_off_and_on(
    send: Send, token: Token, integrations: Any, queued: set[str]
) -> None:
    for name in ("first", "second"):
        add_webhook(token, name=name)
    assert send(hit(integrations=integrations)).status_code == 204
    assert set(QueuedDelivery.objects.values_list("integration__name", flat=True)) == queued


def test_names_are_compared_by_one_rule(send: Send, token: Token) -> None:
    add_webhook(token, name="İstanbul")
    send(hit(integrations={"İstanbul": False}))
    assert not QueuedDelivery.objects.exists()


def test_an_integration_takes_only_the_events_it_names(send: Send, token: Token) -> None:
    add_webhook(token, event_names=["Registered"])
    send(hit())
    send(hit(event={"name": "Viewed Page", "user": {"userId": "u1"}}))
    assert [queued.hit_id for queued in QueuedDelivery.objects.all()] == [
        Hit.objects.get(name="Registered").pk
    ]


def test_paused_is_owed_and_disabled_is_not(send: Send, token: Token) -> None:
    add_webhook(token, name="paused").pause(reason="test", by="me")
    add_webhook(token, name="disabled", enabled=False)
    other, _ = Token.objects.issue("other")
    add_webhook(other)
    send(hit())
    assert [queued.integration.name for queued in QueuedDelivery.objects.all()] == ["paused"]


def test_a_hit_carries_the_revision_it_met(send: Send, token: Token) -> None:
    send(hit(hitId="before"))
    add_webhook(token)
    send(hit(hitId="after"))
    revisions = {stored.hit_id: stored.revision for stored in Hit.objects.all()}
    assert revisions == {"before": 1, "after": 2}
    snapshots = [revision.snapshot for revision in token.revisions.order_by("number")]
    assert [len(snapshot["integrations"]) for snapshot in snapshots] == [0, 1]


def test_a_reconnect_needs_no_low_descriptor(send: Send) -> None:
    send(hit())
    with ExitStack() as files:
        for _ in range(1100):
            files.enter_context(open(os.devnull))
        writer.drain()
        assert [send(hit()).status_code for _ in range(5)] == [204] * 5


def test_an_old_copy_of_a_token_undoes_nothing(token: Token) -> None:
    old, other = Token.objects.get(pk=token.pk), Token.objects.get(pk=token.pk)
    add_webhook(other)
    other.revoke(by="anna")
    old.name = "renamed"
    old.save(by="bob")
    old.rotate(by="bob")
    token.refresh_from_db()
    assert (token.name, token.revoked_at is None) == ("renamed", False)
    assert [revision.made_by for revision in token.revisions.order_by("number")] == [
        "",
        "",
        "anna",
        "bob",
        "bob",
    ]
