"""PgBouncer in front of the Postgres of the tests, with Django and ingest behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import connection

from tests.support.pgbouncer import pgbouncer
from tests.support.ports import free_port
from tracking.health.database import postgres
from tracking.health.overview import stored
from tracking.ingest.auth.authentication import tokens
from tracking.ingest.write import readiness
from tracking.ingest.write.store import writer

#: Runs PgBouncer in this mode, and leads Django and ingest through it.
Pooling = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def pooling(transactional_db: None) -> Pooling:
    @contextmanager
    def run(mode: str = "transaction") -> Iterator[None]:
        settings, port = connection.settings_dict, free_port()
        direct = {name: settings[name] for name in ("HOST", "PORT")}
        target = f"host={settings['HOST']}" + (f" port={direct['PORT']}" * bool(direct["PORT"]))
        try:
            with pgbouncer(target, port, mode=mode):
                lead_to(HOST="127.0.0.1", PORT=str(port))
                yield
                lead_to(**direct)
        finally:
            lead_to(**direct)

    return run


@pytest.fixture
def pooled(pooling: Pooling) -> Iterator[None]:
    with pooling():
        yield


def lead_to(**place: str) -> None:
    """Every connection from here on goes there."""
    connection.settings_dict.update(place)
    forget()


def forget() -> None:
    """Close what is connected."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    writer.drain()
    tokens.drain()
    readiness.forget()
    postgres.forget()
    stored.forget()
