"""The journal's files: what is whole is read once, whatever ended their writer."""

import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import wait_until
from tracking.ingest.errors import Unavailable
from tracking.ingest.parse.arrival import Arrival, ClientInfo
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.spool.folder import Folder, SpoolFull
from tracking.ingest.write.spool.journal import Journal
from tracking.ingest.write.spool.presence import Presence
from tracking.ingest.write.spool.segment import (
    MAGIC,
    JournalSegment,
    SegmentReader,
    record_of,
)
from tracking.ingest.write.spool.status import Meter

BODY = b'{"hitId": "%s", "userId": "u", "event": {"name": "\xc3\x84", "n": 12345678901234567890}}'
MEGABYTE = 1024**2


def arrive(hit_id: str) -> Arrival:
    return parse(BODY % hit_id.encode(), ClientInfo(token_id=1, ip="192.0.2.1", user_agent="x"))


def written(folder: Folder, hit_ids: str) -> tuple[Path, list[Arrival]]:
    """A closed segment with a hit for each letter."""
    arrivals = [arrive(hit_id) for hit_id in hit_ids]
    segment = folder.create()
    for arrival in arrivals:
        segment.append([record_of(arrival)])
    segment.close()
    return segment.path, arrivals


def read(path: Path) -> str:
    reader = SegmentReader.take(path)
    assert reader is not None
    found = "".join(arrival.hit_id for arrival in reader.arrivals())
    reader.remove()
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path / "spool"), MEGABYTE)


@pytest.fixture
def journal(folder: Folder) -> Iterator[Journal]:
    """The journal of a process that takes Postgres for away."""
    presence = Presence()
    presence.lose()
    journal = Journal(folder, presence)
    yield journal
    journal.drain()


def kept(folder: Folder) -> str:
    return "".join(map(read, folder.segments()))


def test_an_arrival_comes_back_as_it_was(folder: Folder) -> None:
    path, arrivals = written(folder, "abc")
    reader = SegmentReader.take(path)
    assert reader is not None
    assert [*reader.arrivals()] == arrivals
    reader.close()


def test_others_read_nothing_of_the_files(folder: Folder) -> None:
    path, _ = written(folder, "a")
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("cut", [1, 7, 8, 60])
def test_a_torn_tail_is_cut(folder: Folder, cut: int, caplog: pytest.LogCaptureFixture) -> None:
    path, arrivals = written(folder, "abc")
    whole = path.stat().st_size - len(record_of(arrivals[2]))
    os.truncate(path, whole + cut)
    assert read(path) == "ab"
    assert not caplog.records
    assert not path.exists()


def test_zeros_that_a_power_failure_leaves_are_cut(folder: Folder) -> None:
    path, _ = written(folder, "ab")
    with path.open("ab") as file:
        file.write(bytes(5000))
    assert read(path) == "ab"


def test_a_record_with_a_wrong_checksum_costs_no_other(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    path, arrivals = written(folder, "abc")
    content = path.read_bytes()
    text = record_of(arrivals[1])[8:]
    path.write_bytes(content.replace(text, text.replace(b'"b"', b'"x"')))
    assert read(path) == "ac"
    assert_kept_for_an_operator(path, caplog)


def assert_kept_for_an_operator(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert "is damaged" in caplog.text
    assert not path.exists()
    assert path.with_suffix(".damaged").exists()


@pytest.mark.parametrize(
    ("bit", "found"),
    [
        pytest.param(0, "acd", id="a byte shorter or longer"),
        pytest.param(17, "acd", id="longer than the file"),
        pytest.param(30, "acd", id="longer than any record"),
    ],
)
def test_a_damaged_length_costs_no_other_record(
    folder: Folder, bit: int, found: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, arrivals = written(folder, "abcd")
    flip(path, len(MAGIC) + len(record_of(arrivals[0])), bit)
    assert read(path) == found
    assert_kept_for_an_operator(path, caplog)


@pytest.mark.parametrize("bit", [17, 30, 40], ids=["length", "longest length", "checksum"])
def test_damage_of_the_last_record_is_no_torn_tail(
    folder: Folder, bit: int, caplog: pytest.LogCaptureFixture
) -> None:
    path, arrivals = written(folder, "abc")
    flip(path, path.stat().st_size - len(record_of(arrivals[2])), bit)
    assert read(path) == "ab"
    assert_kept_for_an_operator(path, caplog)


def test_a_damaged_first_line_costs_no_record(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    path, _ = written(folder, "ab")
    flip(path, 0, 0)
    assert read(path) == "ab"
    assert_kept_for_an_operator(path, caplog)


def flip(path: Path, byte: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[byte + bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def test_a_segment_is_read_by_one_and_only_once_its_writer_is_gone(folder: Folder) -> None:
    segment = folder.create()
    segment.append([record_of(arrive("a"))])
    assert SegmentReader.take(segment.path) is None
    segment.close()
    reader = SegmentReader.take(segment.path)
    assert reader is not None
    assert SegmentReader.take(segment.path) is None
    reader.close()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_the_segment_of_a_killed_process_is_taken_over(folder: Folder) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        segment = folder.create()
        segment.append([record_of(arrive("a"))])
        os.write(segment._file, b"torn")
        os.write(writing, b"x")
        time.sleep(60)
        os._exit(1)
    os.read(reading, 1)
    (path,) = folder.segments()
    assert SegmentReader.take(path) is None
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert read(path) == "a"
    os.close(reading)
    os.close(writing)


def test_what_waits_together_has_one_fsync(
    journal: Journal, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.submit_all([arrive("a")], within=5)
    appended: list[int] = []
    append = JournalSegment.append

    def counted(self: JournalSegment, records: Any) -> None:
        time.sleep(0.05)
        appended.append(len(records))
        append(self, records)

    monkeypatch.setattr(JournalSegment, "append", counted)
    journal.submit_all([arrive(letter) for letter in "bcdefghijk"], within=5)
    assert sum(appended) == 10
    assert len(appended) <= 3
    journal.drain()
    assert kept(folder) == "abcdefghijk"


def test_segments_are_bounded_and_so_is_their_sum(journal: Journal, folder: Folder) -> None:
    stored = 0
    with suppress(Unavailable):
        while stored < 10_000:
            journal.submit_all([arrive("x") for _ in range(50)], within=5)
            stored += 50
    assert len(folder.segments()) > 10
    assert max(path.stat().st_size for path in folder.segments()) <= folder.segment_bytes
    assert 0.8 * MEGABYTE < Meter(folder).measure().bytes <= MEGABYTE
    journal.drain()
    # What was refused may be half there, what was accepted is whole.
    assert stored <= len(kept(folder)) < stored + 50


def test_many_processes_share_the_limit(folder: Folder) -> None:
    held = [folder.create() for _ in range(16)]
    with pytest.raises(SpoolFull):
        folder.create()
    for segment in held:
        segment.close()


def test_segments_that_are_read_take_no_more_than_their_bytes(folder: Folder) -> None:
    """A second outage while the first is stored finds the room that there is."""
    readers = [SegmentReader.take(written(folder, "a")[0]) for _ in range(16)]
    folder.create().close()
    for reader in readers:
        assert reader is not None
        reader.close()


def test_a_close_that_fails_costs_the_journal_nothing(
    journal: Journal, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.submit_all([arrive("a")], within=5)
    thread = journal._thread
    assert journal._segment is not None
    os.close(journal._segment._file)
    journal.presence.regain()
    wait_until(lambda: journal._segment is None, within=5)
    journal.presence.lose()
    journal.submit_all([arrive("b")], within=5)
    assert journal._thread is thread
    journal.drain()
    assert kept(folder) == "ab"


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_refuses_and_keeps_what_was_accepted(journal: Journal, folder: Folder) -> None:
    journal.submit_all([arrive("a")], within=5)
    with largest_file(2_000):
        with pytest.raises(Unavailable):
            journal.submit_all([arrive("b") for _ in range(9)], within=5)
        assert journal.has_failed
    assert kept(folder) == "a"
    time.sleep(0.6)
    journal.submit_all([arrive("c")], within=5)
    journal.drain()
    assert kept(folder) == "c"


def test_an_fsync_that_fails_ends_the_segment_at_its_last_good_record(
    journal: Journal, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.submit_all([arrive("a")], within=5)

    def fail(file: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("tracking.ingest.write.spool.segment._sync", fail)
        with pytest.raises(Unavailable):
            journal.submit_all([arrive("b")], within=5)
    assert kept(folder) == "a"


def test_the_meter_counts_what_was_appended_since(journal: Journal, folder: Folder) -> None:
    meter = Meter(folder)
    assert meter.measure().hits == 0
    journal.submit_all([arrive("a"), arrive("b")], within=5)
    assert meter.measure().hits == 2
    journal.submit_all([arrive("c")], within=5)
    found = meter.measure()
    assert (found.hits, found.limit) == (3, MEGABYTE)
    assert found.bytes == sum(path.stat().st_size for path in folder.segments()) > 0
    assert 0 <= found.oldest < 5
