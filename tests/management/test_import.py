"""manage.py import_hits: files of hits, whole or broken, once and again."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.support.hits import hit
from tests.support.integrations import add_webhook
from tests.support.ledger import assert_exact, counts, discrepancies
from tests.support.rollups import rolled_up
from tracking.ingest.file_import import run
from tracking.ingest.file_import.chunk_writer import AlreadyImporting
from tracking.ingest.file_import.line_file import FileChanged
from tracking.ingest.parse.arrival import Arrival, ClientInfo
from tracking.ingest.parse.track_payload import parse
from tracking.models import FileImport, Hit, QueuedDelivery, Token, Watermark
from tracking.models.analytics import rollup_job
from tracking.models.analytics.dimensions import DAY

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*lines: Any, name: str = "hits.ndjson", zipped: bool = False) -> Path:
        texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        content = b"".join(text + b"\n" for text in texts)
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if zipped else content)
        return path

    return write


def import_hits(path: Path, *arguments: str) -> str:
    said = StringIO()
    call_command(
        *("import_hits", str(path), "--token", "shop", "--yes", *arguments),
        stdout=said,
        stderr=StringIO(),
    )
    return said.getvalue()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_is_stored_and_delivered_with_its_own_times(
    token: Token, write: Write, zipped: bool
) -> None:
    integration = add_webhook(token)
    path = write(
        b"\xef\xbb\xbf" + json.dumps(hit(hitId="a", sentAt="2019-02-21T10:00:00Z")).encode(),
        b"",
        hit(hitId="b"),
        json.dumps(hit(hitId="c")).encode() + b"\r",
        hit(hitId="a"),
        zipped=zipped,
    )
    assert "stored: 3, duplicate: 1, refused: 0" in import_hits(path)
    first = Hit.objects.get(hit_id="a")
    assert first.sent_at == first.occurred_at == datetime(2019, 2, 21, 10, tzinfo=UTC)
    assert (first.clock, first.received_at.year) == ("sent", datetime.now(UTC).year)
    assert QueuedDelivery.objects.filter(integration=integration).count() == 3
    assert_exact(integration)


def test_refused_lines_are_named_kept_and_cost_no_other(token: Token, write: Write) -> None:
    long = json.dumps(hit(pad="x" * 300_000)).encode()
    path = write(hit(), b"{broken", {"event": {}}, long, hit(), b"\xff", b'"text"')
    assert "stored: 2, duplicate: 0, refused: 5" in import_hits(path)
    refused = [
        json.loads(line) for line in path.with_name("hits.ndjson.refused").read_text().splitlines()
    ]
    assert {each["line"]: each["code"] for each in refused} == {
        2: "json_invalid",
        3: "user_required",
        4: "hit_too_large",
        6: "json_invalid",
        7: "json_not_object",
    }
    assert refused[0]["text"] == "{broken"
    assert FileImport.objects.get().lines == 7


def test_a_finished_file_is_not_imported_again(token: Token, write: Write) -> None:
    path = write(hit(), hit())
    import_hits(path)
    assert "was imported" in import_hits(path)
    assert Hit.objects.count() == 2
    write(hit(), hit(), hit())
    assert "stored: 3" in import_hits(path)


def test_what_is_only_stored_is_owed_to_nobody(token: Token, write: Write, settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "COMMIT_LAG": 0.0}
    integration = add_webhook(token)
    import_hits(write(hit(), hit(integrations={"All": True})), "--store-only")
    assert (Hit.objects.count(), QueuedDelivery.objects.count()) == (2, 0)
    call_command("backfill", str(integration.pk), "--yes", stdout=StringIO())
    assert QueuedDelivery.objects.count() == 2


def test_events_in_segments_shape_keep_their_type_and_time(token: Token, write: Write) -> None:
    told = {"timestamp": "2019-02-21T10:00:00Z", "sentAt": "2019-02-21T11:00:00Z"}
    path = write({"type": "identify", "userId": "u1", "messageId": "m1", **told})
    import_hits(path, "--format", "segment")
    stored = Hit.objects.get()
    assert (stored.type, stored.hit_id, stored.clock) == ("identify", "m1", "timestamp")
    assert stored.occurred_at == datetime(2019, 2, 21, 10, tzinfo=UTC)


def test_it_asks_and_does_nothing_without_a_yes(
    token: Token, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_webhook(token, name="Hook")
    monkeypatch.setattr("builtins.input", lambda prompt: "n")
    said = StringIO()
    call_command("import_hits", str(write(hit())), "--token", "shop", stdout=said)
    assert "queued for Hook" in said.getvalue()
    assert not Hit.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing.ndjson", "--token", "shop"), "No such file"),
        ((os.devnull, "--token", "nobody"), "no token named"),
    ],
)
def test_what_is_not_there_is_a_clear_error(
    token: Token, arguments: tuple[str, ...], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("import_hits", *arguments, "--yes")


def test_a_broken_gzip_keeps_what_came_before_and_goes_on_when_mended(
    token: Token, write: Write
) -> None:
    path = write(*(hit(hitId=f"h{n}", pad="x" * n) for n in range(2000)), zipped=True)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CommandError, match="broken"):
        import_hits(path)
    kept = Hit.objects.count()
    assert 0 < kept < 2000
    assert FileImport.objects.get().lines == kept
    path.write_bytes(whole)
    said = import_hits(path)
    assert f"stored: {2000 - kept:,}, duplicate: {kept:,}" in said
    assert Hit.objects.count() == 2000


def test_a_hit_that_postgres_alone_refuses_costs_no_other(token: Token, write: Write) -> None:
    """A dozen chunks, one with a poisoned hit and a repeated one."""
    hits = [hit(hitId=f"h{n}") for n in range(6000)]
    path = write(*hits, hits[7])
    sender = ClientInfo(token_id=token.pk, ip=None, user_agent="")

    def read(body: bytes) -> Arrival:
        arrival = parse(body, sender)
        poison = {"user_agent": "\0"} if arrival.hit_id == "h2500" else {}
        return msgspec.structs.replace(arrival, **poison)

    refused: list[tuple[int, str]] = []
    run.run(
        run.begin(token, path),
        path,
        read,
        refused=lambda line, result: refused.append((line.number, str(result.error))),
        progress=lambda lines, position: None,
    )
    imported = FileImport.objects.get()
    assert (imported.lines, imported.stored, imported.duplicate) == (6001, 5999, 1)
    ((number, message),) = refused
    assert number == 2501
    assert "Postgres cannot hold this hit" in message
    assert imported.refused == 1
    assert counts() == {"accepted": 6000, "duplicate": 1}


def test_of_two_at_once_the_second_stops_and_stores_nothing(token: Token, write: Write) -> None:
    path = write(*(hit() for _ in range(20)))
    first, second = run.begin(token, path), run.begin(token, path)
    sender = ClientInfo(token_id=token.pk, ip=None, user_agent="")
    read = partial(parse, sender=sender)
    run.run(first, path, read, refused=print, progress=print)
    with pytest.raises(AlreadyImporting):
        run.run(second, path, read, refused=print, progress=print)
    assert Hit.objects.count() == 20


def test_a_file_with_the_wrong_format_can_be_imported_with_the_right_one(
    token: Token, write: Write
) -> None:
    path = write({"type": "track", "event": "Ordered", "userId": "u1"})
    assert "stored: 0, duplicate: 0, refused: 1" in import_hits(path)
    for said in ("stored: 1, duplicate: 0, refused: 0", "was imported on"):
        assert said in import_hits(path, "--format", "segment")
    assert Hit.objects.count() == 1


def test_a_file_that_changes_is_not_taken_for_imported(token: Token, write: Write) -> None:
    path = write(*(hit(number=n) for n in range(2000)))
    before = path.read_bytes()
    sender = ClientInfo(token_id=token.pk, ip=None, user_agent="")

    def read(body: bytes) -> Arrival:
        if b'"number": 1700}' in body:
            path.write_bytes(before + before)
        return parse(body, sender)

    with pytest.raises(FileChanged):
        run.run(run.begin(token, path), path, read, refused=print, progress=print)
    path.write_bytes(before)
    assert "stored: 2,000, duplicate: 0, refused: 0" in import_hits(path)
    numbers = Hit.objects.values_list("payload__number", flat=True)
    assert sorted(numbers) == list(range(2000))


def test_killed_it_goes_on_where_it_was_and_stores_each_line_once(
    token: Token, write: Write
) -> None:
    """Lines without a hitId: nothing but the count of lines tells what is stored."""
    path = write(*(hit(number=n) for n in range(20_000)))
    settings = {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "manage.py", "import_hits", str(path), "--token", "shop", "--yes"]
    root = Path(__file__).resolve().parents[2]

    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, cwd=root, env={**os.environ, **settings}, stderr=subprocess.DEVNULL
        )

    for share in (0.1, 0.4):
        process = begin()
        ends = time.monotonic() + 30
        while Hit.objects.count() < share * 20_000:
            assert time.monotonic() < ends
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert begin().wait(60) == 0
    numbers = Hit.objects.values_list("payload__event__number", "payload__number")
    assert sorted(each[1] for each in numbers) == list(range(20_000))
    assert counts() == {"accepted": 20_000}
    assert discrepancies() == []


def database_url() -> str:
    """The test database's."""
    base, _, query = os.environ["DATABASE_URL"].partition("?")
    url = f"{base.rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    return f"{url}?{query}" if query else url


def test_hits_of_a_file_are_counted_however_long_their_transaction_was_open(
    token: Token, write: Write
) -> None:
    rollup_job.catch_up()
    Watermark.objects.update(position="0fffffff-0000-7000-8000-000000000000")
    import_hits(write(hit(sentAt="2019-02-21T10:00:00Z"), hit(), hit(hitId="a"), hit(hitId="a")))
    assert rollup_job.catch_up() == 3
    assert rolled_up(DAY)[token.pk, datetime(2019, 2, 21, tzinfo=UTC), "Registered"] == 1
