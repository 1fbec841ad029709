"""What load balancers and Prometheus are answered, by whatever name they call."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.support.hits import Send, hit
from tests.support.pgbouncer import of_a_session
from tests.support.posting import Answer, ask, get
from tracking import db
from tracking.health.database import postgres
from tracking.health.overview import stored
from tracking.ingest.write import readiness
from tracking.ingest.write.store import writer
from tracking.metrics.exposition import exposition
from tracking.models import Hit, Tally, Token
from tracking.models.hits import partitions

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "0123456789abcdef0123456789"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    exposition.forget()
    readiness.readiness.forget()


def metrics(settings: Any, *, remote: str = "203.0.113.7", bearer: str = "", **how: Any) -> Answer:
    settings.HITSTREAM = {**settings.HITSTREAM, **how}
    environ = {"REMOTE_ADDR": remote, "HTTP_HOST": "10.1.2.3:8000"}
    if bearer:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {bearer}"
    return ask("GET", "/metrics", environ)


def test_alive_and_ready_by_whatever_host(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["hits.example"]
    for path in ("/healthz", "/readyz", "/healthz/", "/readyz/"):
        answer = get(path, host="10.1.2.3:8000")
        assert answer.status_code == 200, answer.content
        assert "Set-Cookie" not in answer.headers
        assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/metrics/"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_no_other_site_reads_a_probe(settings: Any, method: str, path: str) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "METRICS_FOR": ("203.0.113.0/24",)}
    environ = {"REMOTE_ADDR": "203.0.113.7", "HTTP_ORIGIN": "https://evil.example"}
    answer = ask(method, path, environ)
    assert answer.status_code == {"GET": 200, "POST": 405, "OPTIONS": 204}[method]
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_no_other_site_reads_the_failure_of_a_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.ingest.http.probes.overview.components", lambda: 1 / 0)
    answer = ask("GET", "/readyz", {"HTTP_ORIGIN": "https://evil.example"})
    assert answer.status_code == 500
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_ready_says_what_is_degraded_and_is_200() -> None:
    answer = get("/readyz")
    said = answer.json()
    assert (answer.status_code, said["status"]) == (200, "degraded")
    assert said["parts"]["Postgres"] == "good"
    assert said["parts"]["Worker"] == "poor"


def test_strangers_are_not_told_where_postgres_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", "secret_database")
    readiness.forget()
    answer = get("/readyz")
    readiness.forget()
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.json()["parts"] == {"Postgres": "bad"}
    assert answer.json()["reason"].startswith("Postgres cannot be reached")
    assert "secret_database" not in answer.content.decode()
    assert "secret_database" in caplog.text


@contextmanager
def own_connection() -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(**db.raw_parameters(), autocommit=True) as own:
        yield own


@contextmanager
def read_only() -> Iterator[None]:
    with own_connection() as own:
        own.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        own.execute("SELECT pg_reload_conf(), pg_sleep(0.3)")
        yield
        own.execute("SET default_transaction_read_only = off")
        own.execute("ALTER SYSTEM RESET default_transaction_read_only")
        own.execute("SELECT pg_reload_conf(), pg_sleep(0.3)")


def locked(table: str) -> Callable[[], AbstractContextManager[None]]:
    @contextmanager
    def hold() -> Iterator[None]:
        with own_connection() as own, own.transaction():
            own.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield

    return hold


@contextmanager
def all_taken() -> Iterator[None]:
    with ExitStack() as taken:
        with suppress(psycopg.OperationalError):
            while True:
                taken.enter_context(own_connection())
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            taken.enter_context(own_connection())
        yield


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (nullcontext, 204),
        (read_only, 503),
        (locked("hitstream_hit"), 503),
        (locked("hitstream_hitkey"), 503),
        (locked("hitstream_queue"), 503),
        (locked("hitstream_tally"), 503),
        (locked("hitstream_operation"), 204),
        pytest.param(all_taken, 204, marks=of_a_session),
    ],
)
def test_ready_answers_what_track_would(
    trouble: Callable[[], AbstractContextManager[None]],
    status: int,
    send: Send,
    token: Token,
    settings: Any,
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "TOKEN_CACHE_SECONDS": 60.0}
    assert (send(hit()).status_code, get("/readyz").status_code) == (204, 200)
    readiness.readiness.forget()
    with trouble():
        assert send(hit()).status_code == status
        assert get("/readyz").status_code == (200 if status == 204 else 503)
    readiness.readiness.forget()
    assert (send(hit()).status_code, get("/readyz").status_code) == (204, 200)
    assert not Hit.objects.filter(hit_id="readiness").exists()


@contextmanager
def without_today() -> Iterator[None]:
    """The role may write, and may not create the day's missing partition."""
    table = f"hitstream_hit_{datetime.now(UTC):%Y%m%d}"
    with own_connection() as own, as_role("probe_writer", own):
        own.execute(f"DROP TABLE {table}")
        try:
            yield
        finally:
            with own.transaction():
                partitions.make_ahead(own.execute)


@contextmanager
def as_role(name: str, own: psycopg.Connection[Any]) -> Iterator[None]:
    """Ingest runs as a role that may read and write all tables."""
    own.execute(f"CREATE ROLE {name}")
    own.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}")
    own.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}")
    with reconnected(assume_role=name):
        yield
    own.execute(f"DROP OWNED BY {name}")
    own.execute(f"DROP ROLE {name}")


@contextmanager
def reconnected(**options: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for option, value in options.items():
            patch.setitem(connection.settings_dict["OPTIONS"], option, value)
        drop_connections()
        yield
        patch.undo()
        drop_connections()


def drop_connections() -> None:
    readiness.forget()
    writer.drain()


@contextmanager
def elsewhere() -> Iterator[None]:
    """The tables are in a schema that the search path lacks, as those of a tenant are."""
    with reconnected(options="-csearch_path=pg_catalog"):
        yield


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (read_only, "Postgres takes no writes: it is a standby, or read-only."),
        (locked("hitstream_tally"), "A table is locked."),
        (
            without_today,
            "Today's partition is missing, and the database role may not create it: the owner may.",
        ),
        pytest.param(
            elsewhere,
            "The tables are not found: run `manage.py migrate`, or correct the search path.",
            marks=of_a_session,
        ),
    ],
)
def test_not_ready_says_why_and_names_nothing(
    trouble: Callable[[], AbstractContextManager[None]],
    reason: str,
    send: Send,
    settings: Any,
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "TOKEN_CACHE_SECONDS": 60.0}
    assert (send(hit()).status_code, get("/readyz").status_code) == (204, 200)
    readiness.readiness.forget()
    with trouble():
        answer = get("/readyz")
        assert send(hit()).status_code == 503
    assert (answer.status_code, answer.json()["reason"]) == (503, reason)
    readiness.readiness.forget()
    assert (send(hit()).status_code, get("/readyz").status_code) == (204, 200)


@pytest.mark.parametrize(("days", "state"), [(0, "good"), (1, "bad")])
def test_the_partition_of_tomorrow_is_looked_at(days: int, state: str) -> None:
    """It is the last one in the tests."""
    day = datetime.now(UTC) + timedelta(days=1)
    with own_connection() as own:
        for table in ("hit", "attempt")[:days]:
            own.execute(f"DROP TABLE hitstream_{table}_{day:%Y%m%d}")
        stored.forget()
        answer = get("/readyz")
        with own.transaction():
            partitions.make_ahead(own.execute)
    stored.forget()
    assert (answer.status_code, answer.json()["parts"]["Partitions"]) == (200, state)


def test_what_postgres_does_not_tell_is_no_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Connections that there are still work, and it takes no more; then not even that."""
    postgres.forget()
    with monkeypatch.context() as patched, connection.cursor() as cursor:
        patched.setitem(connection.settings_dict, "NAME", "secret_database")
        answer = metrics(settings, METRICS_TOKEN=TOKEN, bearer=TOKEN)
        assert answer.status_code == 200
        assert "hitstream_database_bytes" not in answer.content.decode()
        exposition.forget()
        cursor.execute("ALTER VIEW hitstream_lifetime RENAME TO gone")
        answer = metrics(settings, METRICS_TOKEN=TOKEN, bearer=TOKEN)
        cursor.execute("ALTER VIEW gone RENAME TO hitstream_lifetime")
    exposition.forget()
    postgres.forget()
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


def test_without_leave_there_are_no_metrics(settings: Any) -> None:
    assert metrics(settings).status_code == 404
    assert metrics(settings, bearer="anything").status_code == 404


def test_who_may_read_metrics(settings: Any) -> None:
    allowed: dict[str, Any] = {"METRICS_TOKEN": TOKEN, "METRICS_FOR": ("10.0.0.0/8", "::1")}
    assert metrics(settings, **allowed).status_code == 401
    assert metrics(settings, **allowed, bearer="wrong").status_code == 401
    assert metrics(settings, **allowed, bearer=TOKEN).status_code == 200
    assert metrics(settings, **allowed, remote="10.9.9.9").status_code == 200
    assert metrics(settings, **allowed, remote="::1").status_code == 200
    assert metrics(settings, METRICS_TOKEN="", METRICS_FOR=("::1",), bearer="x").status_code == 401


def test_a_scrape_that_is_refused_is_no_refused_hit(settings: Any) -> None:
    metrics(settings, METRICS_TOKEN=TOKEN)
    assert not Tally.objects.filter(kind="refused").exists()
