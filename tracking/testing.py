"""For the tests of a project that Hitstream is installed in.

Hits are stored, and API tokens looked up, on connections of Hitstream's own: they see nothing of
a test's transaction, and what they commit outlives it. With `on_this_connection` they use the
test's connection instead:

    class SignupTests(TestCase):
        def setUp(self) -> None:
            self.enterContext(on_this_connection())

    @pytest.fixture
    def hits(db: None) -> Iterator[None]:
        with on_this_connection():
            yield
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast
from unittest.mock import patch

import psycopg
from django.db import connections, router, transaction
from django.test import override_settings

from tracking import tasks
from tracking.conf import conf
from tracking.ingest.authentication import passes
from tracking.ingest.connection import Connection
from tracking.ingest.group import Group
from tracking.models import Hit
from tracking.outbox.floors import floors


def silence() -> None:
    """Nobody is called to deliver."""


@contextmanager
def on_this_connection(ring: Callable[[], None] = silence) -> Iterator[None]:
    """Until its end, hits are stored at once by the thread that posts them, on its own Django
    connection and inside its transaction; a token is known, or revoked, at once.

    `ring` is called after a hit that owes deliveries. With Celery's `task_always_eager`,
    `ring=tracking.tasks.dispatch` delivers each hit before its request is answered.
    """
    borrowed = cast(Connection, Borrowed(router.db_for_write(Hit)))

    def submit(group: Group[Any, Any], item: Any, *, within: float) -> Any:
        return group.handle(borrowed, item)

    def submit_all(group: Group[Any, Any], items: Sequence[Any], *, within: float) -> Any:
        return group.handle_all(borrowed, items)

    forget()
    try:
        with (
            patch.object(Group, "submit", submit),
            patch.object(Group, "submit_all", submit_all),
            patch.object(tasks, "ring", ring),
            override_settings(HITSTREAM={**conf.given(), "TOKEN_CACHE_SECONDS": 0}),
        ):
            yield
    finally:
        forget()


def forget() -> None:
    """The process remembers no token and no place in the queue."""
    passes.clear()
    floors.clear()


class Borrowed:
    """The calling thread's Django connection, with as much of psycopg's interface as a Group
    uses. A statement that fails takes nothing but itself back."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def transaction(self) -> AbstractContextManager[None]:
        return transaction.atomic(using=self._alias)

    def execute(self, query: Any, params: Any = None, **options: Any) -> psycopg.Cursor[Any]:
        with self.transaction():
            # Parameters are bound by the server, as on the connection that this stands in for.
            return psycopg.Cursor(connections[self._alias].connection).execute(query, params)
