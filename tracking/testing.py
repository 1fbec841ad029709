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
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.test import override_settings

from tracking import process, wakeup
from tracking.conf import conf
from tracking.ingest.write.batch_thread import BatchThread
from tracking.ingest.write.django_connection import borrow_connection


def silence() -> None:
    """Wake nothing."""


@contextmanager
def on_this_connection(wake: Callable[[], None] = silence) -> Iterator[None]:
    """Store hits, until its end, in the thread that posts them, on its own Django connection and
    inside its transaction; look tokens up without a cache.

    `wake` is called after a hit that queues deliveries. With Celery's `task_always_eager`,
    `wake=tracking.tasks.dispatch` delivers each hit before its request is answered.
    """
    borrowed = borrow_connection()

    def submit(group: BatchThread[Any, Any], item: Any, *, within: float) -> Any:
        return group.handle(borrowed, item)

    def submit_all(group: BatchThread[Any, Any], items: Sequence[Any], *, within: float) -> Any:
        return group.handle_all(borrowed, items)

    process.forget()
    try:
        with (
            patch.object(BatchThread, "submit", submit),
            patch.object(BatchThread, "submit_all", submit_all),
            patch.object(wakeup, "wake_dispatcher", wake),
            override_settings(HITSTREAM={**conf.given(), "TOKEN_CACHE_SECONDS": 0}),
        ):
            yield
    finally:
        process.forget()
