"""While Postgres is away, known tokens are answered 204; what they sent is stored once, later."""

import asyncio
import base64
import itertools
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from django.db import connection

from tests.ingest.write.test_store import arrivals, arrive
from tests.support.hits import Send, basic, hit
from tests.support.integrations import add_webhook
from tests.support.posting import ask, get, post
from tests.support.waiting import wait_until
from tracking import db, process
from tracking.connection import OwnConnection
from tracking.ingest.auth.authentication import known_tokens, tokens
from tracking.ingest.errors import Unavailable
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write import readiness, store
from tracking.ingest.write.connection import connect
from tracking.ingest.write.loop_writer import LoopWriter
from tracking.ingest.write.spool import drain as drain_module
from tracking.ingest.write.spool import spool
from tracking.ingest.write.spool.drain import Drain
from tracking.ingest.write.spool.folder import Folder
from tracking.ingest.write.spool.segment import SegmentReader, record_of
from tracking.ingest.write.store import writer
from tracking.metrics.exposition import exposition
from tracking.models import Hit, HitKey, NodeSpool, QueuedDelivery, Token
from tracking.models.tokens.api_token import ApiToken
from tracking.uuid7 import first_uuid7

pytestmark = pytest.mark.django_db(transaction=True)

#: Seconds.
SOON = 3.0


class Outage:
    """Postgres, which this process reaches or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._patch = monkeypatch
        self.folder = folder

    def begin(self) -> None:
        """No process has a connection, and none gets one."""
        with connect() as own:
            # The keeper's thread may save at the same moment, and rename the draft of both.
            wait_until(lambda: self._saves(own), within=SOON)
        self._patch.setitem(connection.settings_dict, "HOST", "/nowhere")
        self.disconnect()

    def _saves(self, own: OwnConnection) -> bool:
        with suppress(FileNotFoundError):
            known_tokens.save(own, Folder(str(self.folder), 1024**3))
            return True
        return False

    def end(self) -> None:
        self._patch.undo()
        self.disconnect()

    def disconnect(self) -> None:
        process.forget()
        for each in (writer, tokens, readiness.readiness):
            getattr(each, "drain", lambda: None)()
        readiness.forget()
        exposition.forget()


@pytest.fixture
def outage(
    token: Token, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Outage]:
    (tmp_path / "spool").mkdir()
    settings.HITSTREAM = {**settings.HITSTREAM, "SPOOL": str(tmp_path / "spool")}
    with pytest.MonkeyPatch.context() as patch:
        outage = Outage(patch, tmp_path / "spool")
        yield outage
        outage.end()
    spool.close()


def spooled(outage: Outage) -> int:
    current = spool.current()
    assert current is not None
    return current.meter.measure().hits


def test_hits_of_an_outage_are_stored_once_with_their_time_of_receipt(
    send: Send, outage: Outage, token: Token
) -> None:
    add_webhook(token)
    assert send(hit(hitId="before")).status_code == 204
    outage.begin()
    for hit_id in ("a", "b", "a"):
        assert send(hit(hitId=hit_id)).status_code == 204
    assert send(hit()).status_code == 204
    assert spooled(outage) == 4
    at = datetime.now(UTC)
    outage.end()
    # The first hit opens the spool of this process again.
    assert send(hit(hitId="after")).status_code == 204
    wait_until(lambda: Hit.objects.count() == 5, within=10)
    wait_until(lambda: not [*outage.folder.glob("*-*.hits")], within=10)
    found = {each.hit_id: each for each in Hit.objects.order_by("id")}
    assert [name for name in found if len(name) < 8] == ["before", "a", "b", "after"]
    assert all(each.received_at <= at for name, each in found.items() if name != "after")
    assert QueuedDelivery.objects.count() == 5


def test_what_a_killed_process_had_stored_already_is_left_out(token: Token, outage: Outage) -> None:
    """A hit that has no hitId of its sender, too: neither the hit nor a count is doubled."""
    body = b'{"userId": "u", "event": {}}'
    batch = [*arrivals(token, ["a"]), arrive(token, body), arrive(token, body)]
    folder = Folder(str(outage.folder), 1024**2)
    segment = folder.create()
    segment.append([record_of(each) for each in batch])
    segment.close()
    content = segment.path.read_bytes()
    for _ in range(2):
        segment.path.write_bytes(content)
        drain = Drain(folder, lambda arrival: None)
        with connect() as own:
            while drain.step(own):
                pass
    assert Hit.objects.count() == 3
    assert HitKey.objects.count() == 1
    assert counted(token) == 3
    assert folder.segments() == []


def no_put_back(arrivals: Any) -> None:
    raise AssertionError("nothing is held up")


def close_with(folder: Folder, batch: list[Arrival]) -> Path:
    """A closed segment with these hits."""
    segment = folder.create()
    segment.append([record_of(each) for each in batch])
    segment.close()
    return segment.path


def store_all(drain: Drain) -> None:
    with connect() as own:
        while drain.step(own):
            pass


def test_a_read_that_fails_loses_nothing(
    token: Token, outage: Outage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The segment is read again from its start; the others are stored meanwhile."""
    monkeypatch.setattr(drain_module, "REST", 0.0)
    folder = Folder(str(outage.folder), 1024**3)
    batch = arrivals(token, [str(number) for number in range(1201)])
    for part in (batch[::3], batch[1::3], batch[2::3]):
        close_with(folder, part)
    read, calls = SegmentReader._read_text, itertools.count()

    def fail_once(reader: SegmentReader) -> bytes:
        if next(calls) == 700:
            raise OSError(5, "Input/output error")
        return read(reader)

    monkeypatch.setattr(SegmentReader, "_read_text", fail_once)
    store_all(Drain(folder, no_put_back))
    assert Hit.objects.count() == 1201
    assert counted(token) == 1201
    assert folder.segments() == []
    assert "cannot be read" in caplog.text


def test_a_put_back_that_fails_repeats_nothing_else(token: Token, outage: Outage) -> None:
    """The hit that another transaction holds up is tried again, the others are not."""
    bad, again, held, good = arrivals(token, ["bad", "again", "held", "good"])
    bad = msgspec.structs.replace(bad, ip="moon")
    folder = Folder(str(outage.folder), 1024**2)
    close_with(folder, [bad, again, held, good])
    put_back: list[str] = []

    def fail_once(arrivals: Any) -> None:
        put_back.extend(each.hit_id for each in arrivals)
        if len(put_back) == 1:
            raise Unavailable

    drain = Drain(folder, fail_once)
    with connect() as own, connect() as other:
        store.store(own, arrivals(token, ["again"]))
        with other.transaction(force_rollback=True):
            store.store(other, arrivals(token, ["held"]))
            with pytest.raises(Unavailable):
                drain.step(own)
            drain.step(own)
    assert put_back == ["held", "held"]
    assert sorted(each.hit_id for each in Hit.objects.all()) == ["again", "good"]
    assert (outage.folder / "unstorable.hits").read_bytes().count(b'"moon"') == 1
    assert counted(token) == 3


def counted(token: Token) -> int:
    """The hits in the counts, those that arrived more than once included."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(count) FROM hitstream_tally WHERE token_id = %s AND kind = 'accepted'",
            [token.pk],
        )
        return int(cursor.fetchone()[0] or 0)


def test_the_hits_of_several_processes_are_stored_in_the_order_of_receipt(
    token: Token, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(str(outage.folder), 1024**2)
    segments = [folder.create(), folder.create()]
    batch = arrivals(token, [str(number) for number in range(9)])
    for at, each in enumerate(batch):
        segments[at % 2].append([record_of(each)])
    for segment in segments:
        segment.close()
    stored: list[str] = []
    store_batch = store.store

    def recorded(own: OwnConnection, batch: list[Arrival]) -> list[Any]:
        stored.extend(each.hit_id for each in batch)
        return store_batch(own, batch)

    monkeypatch.setattr(store, "store", recorded)
    store_all(Drain(folder, no_put_back))
    assert stored == [str(number) for number in range(9)]


def test_a_past_day_gets_its_partition(token: Token, outage: Outage) -> None:
    long_ago = first_uuid7(datetime.now(UTC) - timedelta(days=40))
    (each,) = arrivals(token, ["late"])
    folder = Folder(str(outage.folder), 1024**2)
    segment = folder.create()
    segment.append([record_of(msgspec.structs.replace(each, id=long_ago))])
    segment.close()
    drain = Drain(folder, lambda arrival: None)
    with connect() as own:
        while drain.step(own):
            pass
    assert Hit.objects.get(hit_id="late").pk == long_ago
    with connection.cursor() as cursor:
        day = datetime.now(UTC) - timedelta(days=40)
        for table in ("hit", "outcome", "attempt"):
            cursor.execute(f"DROP TABLE hitstream_{table}_{day:%Y%m%d}")


def test_a_day_that_this_role_may_not_make_holds_up_no_other_hit(
    token: Token, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a past day, which no sweep makes. The file of such hits is a segment."""
    old, new = arrivals(token, ["old", "new"])
    old = msgspec.structs.replace(
        old, id=first_uuid7(datetime.now(UTC) - timedelta(days=40)), digest=None
    )
    folder = Folder(str(outage.folder), 1024**2)
    close_with(folder, [old, new])
    with connect() as own:
        with connection.cursor() as cursor:
            cursor.execute("REVOKE CREATE ON SCHEMA public FROM public")
            cursor.execute("CREATE ROLE writes_only IN ROLE pg_read_all_data, pg_write_all_data")
        try:
            own.execute("SET ROLE writes_only")
            drain = Drain(folder, no_put_back)
            while drain.step(own):
                pass
        finally:
            own.execute("RESET ROLE")
            with connection.cursor() as cursor:
                cursor.execute("DROP ROLE writes_only")
    assert [each.hit_id for each in Hit.objects.all()] == ["new"]
    assert folder.segments() == []
    kept = outage.folder / "unstorable.hits"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "has no partition" in caplog.text
    reader = SegmentReader.take(kept)
    assert reader is not None
    assert [*reader.arrivals()] == [old]
    reader.close()


def test_a_hit_that_postgres_cannot_hold_is_kept_for_an_operator(
    token: Token, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    batch = arrivals(token, ["good", "bad"])
    batch[1] = msgspec.structs.replace(batch[1], ip="moon")
    folder = Folder(str(outage.folder), 1024**2)
    segment = folder.create()
    segment.append([record_of(each) for each in batch])
    segment.close()
    drain = Drain(folder, lambda arrival: None)
    with connect() as own:
        while drain.step(own):
            pass
    assert [each.hit_id for each in Hit.objects.all()] == ["good"]
    assert b'"bad"' in (outage.folder / "unstorable.hits").read_bytes()
    assert "Postgres cannot hold" in caplog.text


def test_unknown_tokens_are_503_and_known_ones_keep_their_policies(
    send: Send, token: Token, outage: Outage
) -> None:
    Token.objects.filter(pk=token.pk).update(origins=["https://shop.example"], ip_policy="drop")
    outage.begin()
    assert send(hit(), authorization=basic("hs_never_seen")).status_code == 503
    page = {"projectId": str(token.project_id), **hit(context={"ip": "192.0.2.9"})}
    assert post("/collect", page, origin="https://evil.example").status_code == 401
    assert post("/collect", page, origin="https://shop.example").status_code == 204
    assert post(f"/f/{token.path}", hit(), origin="https://shop.example").status_code == 204
    outage.end()
    send(hit(hitId="opens the spool"))
    wait_until(lambda: Hit.objects.count() == 3, within=10)
    assert {each.ip for each in Hit.objects.all()} == {None}
    assert "192.0.2.9" not in str([each.payload for each in Hit.objects.all()])


def test_a_token_that_was_revoked_or_has_expired_is_refused(
    send: Send, token: Token, secret: ApiToken, outage: Outage
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    _, expiring_secret = Token.objects.issue("expiring", expires_at=soon)
    token.revoke()
    outage.begin()
    assert send(hit()).status_code == 503
    wait_until(lambda: datetime.now(UTC) > soon, within=5)
    assert send(hit(), authorization=basic(expiring_secret)).status_code == 503


def test_a_rotated_token_works_as_long_as_its_grace_lasts(
    send: Send, token: Token, outage: Outage
) -> None:
    token.rotate()
    outage.begin()
    assert send(hit()).status_code == 204
    path = outage.folder / "tokens.json"
    content = path.read_bytes().replace(str(datetime.now(UTC).year).encode(), b"2001")
    path.unlink()
    path.write_bytes(content)
    outage.disconnect()
    assert send(hit()).status_code == 503


def test_the_file_of_tokens_holds_no_secret_and_only_this_user_reads_it(
    token: Token, secret: ApiToken, outage: Outage
) -> None:
    outage.begin()
    path = outage.folder / "tokens.json"
    assert path.stat().st_mode & 0o777 == 0o600
    content = path.read_text()
    assert str(secret) not in content
    assert base64.b64encode(secret.digest).decode() in content


def test_an_old_file_of_tokens_is_not_trusted(send: Send, outage: Outage) -> None:
    outage.begin()
    old = datetime.now(UTC).timestamp() - 2 * 86_400
    os.utime(outage.folder / "tokens.json", (old, old))
    outage.disconnect()
    assert send(hit()).status_code == 503


def test_batches_and_sdks_are_spooled(send: Send, secret: ApiToken, outage: Outage) -> None:
    outage.begin()
    answer = send({"hits": [hit(hitId="a"), {"event": 1}, hit(hitId="b")]}, path="/track/batch")
    assert [each["status"] for each in answer.json()["results"]] == ["stored", "refused", "stored"]
    event = {"event": "Sale", "userId": "u", "messageId": "c", "writeKey": str(secret)}
    assert post("/v1/track", event).status_code == 200
    assert (
        post(
            "/v1/batch", {"batch": [{"type": "track", **event}], "writeKey": str(secret)}
        ).status_code
        == 200
    )
    data = base64.b64encode(json.dumps({**event, "messageId": "e"}).encode()).decode()
    assert get("/v1/pixel/track", {"data": data}).status_code == 200
    assert spooled(outage) == 5
    outage.end()
    send(hit(hitId="d"))
    wait_until(lambda: Hit.objects.count() == 5, within=10)
    assert {each.hit_id for each in Hit.objects.all()} == {*"abcde"}


def test_ready_stays_200_while_hits_can_be_spooled(
    send: Send, outage: Outage, settings: Any
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "METRICS_FOR": ("203.0.113.0/24",)}
    outage.begin()
    assert send(hit()).status_code == 204
    answer = get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["parts"] == {"Postgres": "bad", "Spool": "poor"}
    assert "spool" in answer.json()["reason"]
    text = ask("GET", "/metrics", {"REMOTE_ADDR": "203.0.113.7"}).content.decode()
    assert "hitstream_spool_hits 1.0" in text
    assert "hitstream_spool_postgres_away 1.0" in text
    # Without the file no token is known: the node is of no use.
    (outage.folder / "tokens.json").unlink()
    outage.disconnect()
    assert get("/readyz").status_code == 503


def test_a_full_spool_is_503_and_not_ready(send: Send, outage: Outage, settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "SPOOL_BYTES": 100_000}
    outage.begin()
    answers = [send(hit(x="y" * 5000)) for _ in range(30)]
    assert {each.status_code for each in answers} == {204, 503}
    assert answers[-1].headers["Retry-After"] == "5"
    current = spool.current()
    assert current is not None
    # Beyond the moment for which a disk that failed is not tried again.
    wait_until(lambda: not current.journal.has_failed, within=SOON)
    assert get("/readyz").status_code == 503


def test_the_node_reports_its_spool(send: Send, outage: Outage) -> None:
    send(hit())
    wait_until(lambda: NodeSpool.objects.exists(), within=10)
    assert NodeSpool.objects.get().hits == 0


def test_without_the_setting_nothing_is_spooled(send: Send, outage: Outage, settings: Any) -> None:
    outage.begin()
    settings.HITSTREAM = {**settings.HITSTREAM, "SPOOL": ""}
    assert send(hit()).status_code == 503
    assert get("/readyz").status_code == 503
    assert not [*outage.folder.glob("*.hits")]


def test_a_folder_that_cannot_be_used_is_as_if_there_were_none(
    send: Send, settings: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings.HITSTREAM = {**settings.HITSTREAM, "SPOOL": str(tmp_path / "file")}
    spool._try_after = 0.0
    assert send(hit()).status_code == 204
    assert "cannot be used" in caplog.text


@pytest.mark.parametrize("by", ["thread", "loop"])
def test_a_hit_that_postgres_keeps_waiting_goes_to_the_spool(
    token: Token, outage: Outage, settings: Any, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    longer = {"STATEMENT_TIMEOUT": 2.5 * SOON, "LOCK_TIMEOUT": 2.5 * SOON}
    settings.HITSTREAM = {**settings.HITSTREAM, **longer, "SPOOL_AFTER": 0.2}
    writer.drain()
    lane = LoopWriter(writer)
    monkeypatch.setattr(spool, "loop_writer", lane)
    batch = arrivals(token, ["a", "b"])

    async def hand() -> list[Any]:
        loop = asyncio.get_running_loop()
        current = spool.current()
        assert current is not None
        (arrival,) = arrivals(token, ["first"])
        first = current.hand(arrival, lambda: None)
        # On a busy machine that may have taken long enough to go to the spool.
        while not first.is_settled or current.presence.is_away or lane._connection is None:
            await asyncio.sleep(0.01)
        if by == "thread":
            # It is handed over as long as the loop has no connection.
            lane._close()
            lane._connect_after = float("inf")
        with stalled():
            items = [current.hand(each, lambda: None) for each in batch]
            ends = loop.time() + SOON
            while not all(item.is_settled for item in items) and loop.time() < ends:
                await asyncio.sleep(0.01)
            assert spooled(outage) == 2
            assert current.presence.is_away
            assert bool(lane._sent) == (by == "loop")
        return [item.open() for item in items]

    try:
        outcomes = asyncio.run(hand())
    finally:
        lane.drain()
    assert [each.value for each in outcomes] == ["stored", "stored"]
    wait_until(lambda: not [*outage.folder.glob("*-*.hits")], within=15)
    assert Hit.objects.count() == 3


@contextmanager
def stalled() -> Iterator[None]:
    """No statement that stores hits gets on: its locks are held."""
    with psycopg.connect(**db.raw_parameters()) as own:
        own.execute("LOCK TABLE hitstream_hit IN ACCESS EXCLUSIVE MODE")
        yield
        own.rollback()


def test_threads_that_ask_while_the_file_is_first_read_wait_for_it(
    outage: Outage, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill the first requests come all at once."""
    outage.begin()
    known_tokens.clear()
    read = known_tokens._read

    def read_slowly(path: Path) -> None:
        time.sleep(0.2)
        read(path)

    monkeypatch.setattr(known_tokens, "_read", read_slowly)
    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(lambda _: known_tokens.is_there(), range(8))]
    outage.end()
    assert found == [True] * 8


def test_a_file_of_tokens_that_cannot_be_read_is_503(send: Send, outage: Outage) -> None:
    outage.begin()
    path = outage.folder / "tokens.json"
    path.unlink()
    path.write_bytes(b"[[1]]")
    outage.disconnect()
    assert send(hit()).status_code == 503
