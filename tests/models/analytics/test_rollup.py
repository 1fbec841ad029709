"""The roll-up counts every hit once, whenever it is committed and whenever it occurred."""

import json
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as django_connection
from django.db import connections, transaction
from django.db.models import QuerySet

from tests.support.hits import Send, hit
from tests.support.rollups import (
    aged,
    arrival,
    plain,
    random_arrival,
    rolled_up,
    store_in_time,
    users,
    values,
)
from tracking import tasks, track
from tracking.events import TEST_EVENT, TEST_USER
from tracking.ingest.parse.arrival import Arrival, ClientInfo
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.connection import connect
from tracking.ingest.write.store import store
from tracking.models import Hit, LateArrival, Rollup, Token, Visitor, Watermark
from tracking.models.analytics import rollup_job
from tracking.models.analytics.dimensions import (
    CAMPAIGN,
    DAY,
    HOUR,
    MAX_NAMES,
    MAX_VALUES,
    OTHER,
    PAGE,
    USER,
)
from tracking.models.analytics.watermark import Busy
from tracking.models.upkeep import retention
from tracking.uuid7 import first_uuid7

STEPS = ("store", "commit", "rollback", "pass", "rebuild")


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("rollup", *arguments, stdout=out)
    return out.getvalue()


def assert_right() -> None:
    """Everything stored is counted, once."""
    assert rolled_up(HOUR) == plain("hour")
    assert rolled_up(DAY) == plain("day")
    assert rolled_up(USER) == users()
    assert not LateArrival.objects.exists()
    assert "Every hour" in command("--check")


@pytest.mark.parametrize("seed", range(3))
def test_thousands_of_hits_are_counted_as_sql_counts_them(
    token: Token, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollup_job, "PASS", 300)
    choose = random.Random(seed)
    blog, _ = Token.objects.issue("blog", breakdowns=["plan"])
    counted = 0
    with connect() as own:
        for number in range(10):
            batch = [random_arrival(choose.choice([token, blog]), choose) for _ in range(150)]
            if number < 5:
                store_in_time(own, batch)
            else:
                store(own, batch)
                counted += rollup_job.run_pass().hits
    counted += rollup_job.catch_up()
    assert counted == Hit.objects.count() > 1000
    assert_right()
    assert values("property:plan") == plans(Hit.objects.filter(token=blog))
    bought = Hit.objects.filter(token=blog, name="Completed Transaction")
    assert values("property:plan", name="Completed Transaction") == plans(bought)
    assert values(PAGE).keys() == {"/0", "/1", "/2", "/3"}
    assert values(CAMPAIGN).keys() == {"google"}


def plans(hits: QuerySet[Hit]) -> Counter[str]:
    expected: Counter[str] = Counter()
    for payload in hits.values_list("payload", flat=True):
        event = payload["event"]
        plan = (event if isinstance(event, dict) else payload["properties"])["plan"]
        if isinstance(plan, (str, int)) and plan != "":
            expected["true" if plan is True else str(plan)[:100]] += 1
    return expected


@pytest.mark.parametrize(
    ("said", "page"),
    [
        ({"context": {"page": {"path": "/a", "url": "https://x.example/b"}}}, "/a"),
        ({"context": {"page": {"url": "https://x.example/b?c#d"}}}, "/b"),
        ({"context": {"page": {"url": "https://x.example"}}}, "/"),
        ({"context": {"page": {"url": "//x.example/b"}}}, "/b"),
        ({"context": {"page": {"url": "app/start?x"}}}, "app/start"),
        ({"context": {"page": "/text"}}, None),
        ({"context": {"page": {"path": {"a": 1}}}}, None),
        ({"event": {"name": "Viewed Page", "path": "/c"}}, "/c"),
        ({"event": {"name": "Viewed Page", "page": {"url": "https://x.example/d"}}}, "/d"),
        ({"event": {"name": "Registered", "path": "/c"}}, None),
    ],
)
def test_a_page_is_where_it_happened(token: Token, said: Any, page: str | None) -> None:
    with connect() as own:
        store(own, [arrival(token, **said)])
    rollup_job.catch_up()
    assert list(values(PAGE)) == ([page] if page else [])


def test_a_campaign_is_what_is_known_of_it(token: Token) -> None:
    campaign = {"source": "google", "medium": "cpc", "name": "autumn", "term": "boots"}
    with connect() as own:
        store(own, [arrival(token, context={"campaign": campaign})])
        store(own, [arrival(token, context={"campaign": {"name": 5, "source": None}})])
        store(own, [arrival(token, context={"campaign": {"source": ""}})])
    rollup_job.catch_up()
    assert values(CAMPAIGN) == {"google / cpc / autumn": 1, "5": 1}


def test_a_hit_in_an_open_transaction_is_counted_once_it_is_committed(token: Token) -> None:
    with connect() as own:
        store_in_time(own, [arrival(token) for _ in range(5)])
        passed = threading.Event()
        written = threading.Event()

        def order() -> None:
            with transaction.atomic():
                track(token, "Ordered", user_id="u1")
                written.set()
                passed.wait(10)
            connections.close_all()

        with ThreadPoolExecutor() as threads:
            ordering = threads.submit(order)
            assert written.wait(10)
            rollup_job.catch_up()
            # The watermark goes past the hit's id, as it does some seconds later.
            Watermark.objects.update(position="0fffffff-0000-7000-8000-000000000000")
            rollup_job.catch_up()
            assert sum(rolled_up(HOUR).values()) == 5
            passed.set()
            ordering.result()
    assert LateArrival.objects.count() == 1
    assert rollup_job.catch_up() == 1
    assert_right()
    assert rollup_job.catch_up() == 0


def test_a_statement_that_came_late_is_counted_once_it_is_committed(token: Token) -> None:
    with connect() as own, connect() as other:
        store_in_time(own, [arrival(token) for _ in range(5)])
        other.autocommit = False
        store(other, [arrival(token) for _ in range(3)])
        assert rollup_job.catch_up() == 5
        other.commit()
        assert rollup_job.catch_up() == 3
    assert_right()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_order_of_commits_each_hit_is_counted_once(
    token: Token, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollup_job, "PASS", 7)
    choose = random.Random(seed)
    with ExitStack() as stack:
        own = [stack.enter_context(connect()) for _ in range(4)]
        for each in own:
            each.autocommit = False
        for _ in range(150):
            each = choose.choice(own)
            (what,) = choose.choices(STEPS, (6, 4, 1, 5, 0.1))
            if what == "store":
                # Without a hitId: nobody waits for another's key.
                user = {"userId": f"u{choose.randrange(5)}"}
                store(each, [arrival(token, **user) for _ in range(choose.randrange(1, 5))])
            elif what == "pass":
                rollup_job.run_pass()
            elif what == "rebuild":
                rollup_job.forget_all()
            else:
                getattr(each, what)()
        for each in own:
            each.commit()
    rollup_job.catch_up()
    assert Hit.objects.count() > 50
    assert_right()


def test_hits_that_come_in_time_are_not_marked(token: Token, send: Send) -> None:
    send(hit())
    assert not LateArrival.objects.exists()
    assert rollup_job.catch_up() == 0
    track(token, "Registered", user_id="u1")
    assert LateArrival.objects.count() == 1
    # The mark is of a hit that is not counted yet: it stays.
    assert rollup_job.catch_up() == 0
    assert LateArrival.objects.count() == 1


def test_hits_are_counted_after_the_clock_of_the_database_was_put_back(
    token: Token, send: Send
) -> None:
    rollup_job.catch_up()
    ahead = datetime.now(UTC) + timedelta(hours=1)
    Watermark.objects.update(position=first_uuid7(ahead))
    send(hit())
    assert rollup_job.catch_up() == 1
    assert_right()


def test_a_hit_is_marked_if_its_statement_may_take_longer_than_the_roll_up_waits(
    token: Token, settings: Any
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "STATEMENT_TIMEOUT": 60.0}
    with connect() as own, connect() as other:
        # By the clock of its host it comes from the future, if only a little.
        other.autocommit = False
        store(other, [aged(arrival(token), seconds=-65.0)])
        store(own, [arrival(token)])
        assert rollup_job.catch_up() == 1
        Watermark.objects.update(position=first_uuid7(datetime.now(UTC) + timedelta(minutes=1)))
        other.commit()
    assert rollup_job.catch_up() == 1


ODD_PAGES: Any = ("/text", 7, [], {"path": [1]}, {"url": "x" * 9999})
ODD_CAMPAIGNS: Any = ([], {"source": {"a": 1}, "name": True})
ODD_NAMES: Any = (OTHER, "\x00", "", None, 7, "é" * 255)
ODD_PLANS: Any = (1e308, -0.0, [[[]]], OTHER, "\x00", "𝄞" * 300, "\n")
ODD: list[dict[str, Any]] = [
    *({"context": {"page": page}} for page in ODD_PAGES),
    *({"context": {"campaign": campaign}} for campaign in ODD_CAMPAIGNS),
    *({"event": {"name": name, "plan": "pro"}} for name in ODD_NAMES),
    *({"event": {"name": "Viewed Page", "page": page, "url": page}} for page in ODD_PAGES),
    *({"event": {"plan": plan}} for plan in ODD_PLANS),
    {"event": {"user": [], "properties": "x"}, "properties": 5, "type": "page"},
    {"sentAt": "0001-01-01T00:00:00Z"},
    {"sentAt": "9999-12-31T23:59:59Z"},
]


def test_whatever_a_hit_says_it_is_counted(token: Token) -> None:
    Token.objects.filter(pk=token.pk).update(breakdowns=["plan", "user", "𝄞" * 100, "name"])
    with connect() as own:
        for each in ODD:
            store(own, [arrival(token, **each)])
    assert rollup_job.catch_up() == len(ODD)
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT sum(count) FROM hitstream_rollup WHERE dimension = 'hour'")
        assert cursor.fetchone() == (len(ODD),)


def test_of_long_hits_no_more_is_kept_than_is_counted(token: Token) -> None:
    """Their payloads would not fit into the memory that a pass has."""
    Token.objects.filter(pk=token.pk).update(breakdowns=["plan"])
    event = {"plan": "pro", "text": "x" * 50_000}
    with connect() as own:
        for _ in range(15):
            store(own, [arrival(token, event=event) for _ in range(100)])
        with django_connection.cursor() as cursor:
            cursor.execute("SET temp_file_limit = '1MB'")
            assert rollup_job.catch_up() == 1500
            cursor.execute("RESET temp_file_limit")
    assert values("property:plan") == {"pro": 1500}


def test_marks_beyond_a_pass_are_counted_by_the_next(
    token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollup_job, "PASS", 10)
    rollup_job.catch_up()
    with connect() as own:
        store(own, [arrival(token) for _ in range(35)])
        assert LateArrival.objects.count() == 35
        assert rollup_job.run_pass() == rollup_job.RollupPass(10, is_behind=True)
        store(own, [arrival(token) for _ in range(5)])
    assert rollup_job.catch_up() == 30
    assert_right()


@pytest.mark.parametrize("count", [tasks.rollup, lambda: call_command("sweep", stdout=StringIO())])
def test_the_task_and_a_sweep_count_unless_somebody_does(token: Token, count: Any) -> None:
    with connect() as own:
        store(own, [arrival(token) for _ in range(5)])
    with Watermark.objects.hold(), ThreadPoolExecutor() as threads:
        assert threads.submit(busy).result()
        threads.submit(tasks.rollup).result()
        threads.submit(connections.close_all).result()
    assert not Rollup.objects.exists()
    count()
    assert_right()


def test_a_task_that_is_behind_calls_the_next(
    token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(rollup_job, "PASS", 3)
    monkeypatch.setattr(tasks, "SUMMARISE_SECONDS", 0.0)
    monkeypatch.setattr(tasks, "publish", called.append)
    with connect() as own:
        store(own, [arrival(token) for _ in range(7)])
    for _ in range(3):
        tasks.rollup()
    assert called == ["hitstream.rollup"] * 2
    assert_right()


def test_a_pass_that_fails_leaves_nothing(token: Token) -> None:
    with connect() as own:
        store(own, [arrival(token) for _ in range(5)])
        with Watermark.objects.hold() as cursor:
            assert rollup_job.count_next(cursor).hits == 5
            transaction.set_rollback(True)
    assert [model.objects.exists() for model in (Rollup, Visitor, Watermark)] == [False] * 3
    assert LateArrival.objects.count() == 5
    assert rollup_job.catch_up() == 5
    assert_right()


def test_of_many_workers_one_counts(token: Token) -> None:
    with Watermark.objects.hold(), ThreadPoolExecutor() as threads:
        assert threads.submit(busy).result()
    choose = random.Random(7)
    done = threading.Event()

    def work() -> int:
        hits = 0
        while not done.is_set():
            hits += rollup_job.catch_up()
        connections.close_all()
        return hits

    with ThreadPoolExecutor() as threads, connect() as own:
        workers = [threads.submit(work) for _ in range(3)]
        for _ in range(30):
            store(own, [random_arrival(token, choose) for _ in range(40)])
        done.set()
        counted = sum(worker.result() for worker in workers)
    assert counted + rollup_job.catch_up() == Hit.objects.count()
    assert_right()


def busy() -> bool:
    try:
        rollup_job.run_pass()
    except Busy:
        return True
    finally:
        connections.close_all()
    return False


def test_a_property_has_so_many_values_a_day_and_the_rest_together(token: Token) -> None:
    Token.objects.filter(pk=token.pk).update(breakdowns=["order"])
    with connect() as own:
        often = [arrival(token, event={"order": number % 3}) for number in range(30)]
        store(own, often + [arrival(token, event={"order": f"o{n}"}) for n in range(250)])
        rollup_job.catch_up()
        assert len(values("property:order")) == MAX_VALUES + 1
        store(own, [arrival(token, event={"order": name}) for name in ("o1", "new", "o0", 1)])
        rollup_job.catch_up()
    found = values("property:order")
    assert len(found) == MAX_VALUES + 1
    assert (found["o1"], found["1"], found[OTHER]) == (2, 11, 250 - (MAX_VALUES - 3) + 1)
    assert sum(found.values()) == Hit.objects.count()
    assert_right()


def test_so_many_events_a_day_have_names_and_the_rest_is_counted_together(token: Token) -> None:
    Token.objects.filter(pk=token.pk).update(breakdowns=["plan"])
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def events(*names: str, day: int = 0) -> list[Arrival]:
        sent_at = (at + timedelta(days=day)).isoformat()
        event = {"plan": "pro"}
        return [arrival(token, event={**event, "name": each}, sentAt=sent_at) for each in names]

    with connect() as own:
        store(own, events("often", "often", *(f"e{number:03}" for number in range(MAX_NAMES + 20))))
        rollup_job.catch_up()
        store(own, events("e001", "another") + events("another", day=1))
        rollup_job.catch_up()
    found = {(at.day, name): count for (_, at, name), count in rolled_up(DAY).items()}
    assert len(found) == MAX_NAMES + 2
    assert (found[20, "often"], found[20, "e001"], found[20, OTHER]) == (2, 2, 22)
    assert found[21, "another"] == 1
    assert sum(found.values()) == Hit.objects.count()
    assert values("property:plan") == {"pro": Hit.objects.count()}
    assert values("property:plan", name=OTHER) == {"pro": 22}
    assert {name for _, _, name in rolled_up(USER)} == {"", *(name for _, name in found)}
    assert "Every hour" in command("--check")


def test_a_rebuild_counts_everything_anew(token: Token) -> None:
    with connect() as own, connect() as other:
        store(own, [arrival(token, event={"plan": "pro"}) for _ in range(5)])
        other.autocommit = False
        store(other, [arrival(token)])
        assert "5 hits" in command()
        Token.objects.filter(pk=token.pk).update(breakdowns=["plan"])
        assert "5 hits" in command("--rebuild", "--yes")
        assert values("property:plan") == {"pro": 5}
        other.commit()
        assert "1 hits" in command()
    assert_right()


def test_a_rebuild_behind_a_long_reader_changes_nothing(token: Token) -> None:
    with connect() as own, connect() as reader:
        store(own, [arrival(token)])
        command()
        with reader.transaction(), django_connection.cursor() as cursor:
            reader.execute("SELECT FROM hitstream_rollup")
            cursor.execute("SET statement_timeout = '20s'")
            with pytest.raises(CommandError, match="lock timeout"):
                command("--rebuild", "--yes")
            cursor.execute("RESET statement_timeout")
    assert_right()


def test_a_rebuild_that_is_not_meant_changes_nothing(
    token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect() as own:
        store(own, [arrival(token)])
    command()
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    with pytest.raises(CommandError, match="Nothing was changed"):
        command("--rebuild")
    assert_right()


def test_a_check_names_what_differs(token: Token) -> None:
    with connect() as own:
        store(own, [arrival(token) for _ in range(3)])
    command()
    Rollup.objects.filter(dimension=HOUR).update(count=2)
    out = StringIO()
    with pytest.raises(CommandError, match="1 hours differ"):
        call_command("rollup", "--check", stdout=out)
    assert f"Token {token.pk}, " in out.getvalue()
    assert "3 stored, 2 counted" in out.getvalue()


def test_what_is_past_retention_is_forgotten_and_nothing_else(token: Token, settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "HIT_DAYS": 3}
    now = datetime.now(UTC)
    with connect() as own:
        for days in (0, 3, 4, 400):
            sent_at = (now - timedelta(days=days)).isoformat()
            store(own, [arrival(token, sentAt=sent_at)])
    rollup_job.catch_up()
    before = Visitor.objects.count()
    retention.prune()
    kept = sorted((now.date() - at.date()).days for _, at, _ in rolled_up(DAY))
    assert kept == [0, 3]
    assert Visitor.objects.count() == before / 2
    assert "Every hour" in command("--check")


def test_a_user_is_counted_once_a_day_and_event(token: Token) -> None:
    users_of = [{"userId": "1"}, {"userId": "1", "anonymousId": "a"}, {"anonymousId": "1"}]
    with connect() as own:
        for user in users_of:
            store(own, [arrival(token, **{"userId": None, **each}) for each in users_of])
            store(own, [arrival(token, **{"userId": None, **user}, event={"name": "Bought"})])
            rollup_job.catch_up()
    found = Counter({name: count for (_, _, name), count in rolled_up(USER).items()})
    assert found == {"": 2, "track": 2, "Bought": 2}


def test_test_events_are_not_counted(token: Token) -> None:
    sender = ClientInfo(token_id=token.pk, ip=None, user_agent="")

    def made(name: str, anonymous_id: str) -> Arrival:
        event = {"name": name, "user": {"anonymousId": anonymous_id}}
        return aged(parse(json.dumps({"event": event}).encode(), sender))

    with connect() as own:
        store(own, [made(TEST_EVENT, TEST_USER), made(TEST_EVENT, "a"), made("Ordered", TEST_USER)])
    assert rollup_job.catch_up() == 2
    names = Rollup.objects.filter(dimension=DAY).values_list("name", "count")
    assert sorted(names) == [(TEST_EVENT, 1), ("Ordered", 1)]
    assert "Every hour" in command("--check")
