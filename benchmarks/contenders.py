"""Who delivers: the naive app and Hitstream, each with its web server and its worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from benchmarks.hotpath import NAIVE, OURS, naive_app, naive_worker
from benchmarks.stack import PYTHON, Bench
from project.run import BEAT, WORKER, web


@contextmanager
def apart(servers: Bench) -> Iterator[Bench]:
    """The same servers; what is started on this one ends with it."""
    with ExitStack() as processes:
        yield replace(servers, processes=processes)


@contextmanager
def naive(servers: Bench, sink: str) -> Iterator[tuple[int, str]]:
    """Port and Authorization header of the naive app, which posts each hit to the sink."""
    with apart(servers) as bench:
        authorization = naive_app(bench)
        naive_worker(bench, sink)
        yield NAIVE, authorization


@contextmanager
def hitstream(servers: Bench) -> Iterator[int]:
    """Web, worker and beat as `make run` starts them; the port."""
    with apart(servers) as bench:
        bench.start(OURS, *PYTHON, *web().split(), "--port", str(OURS))
        schedule = f"{bench.environment['HITSTREAM_VAR']}/schedule"
        bench.start(None, *PYTHON, *BEAT.split(), schedule)
        bench.start(None, *PYTHON, *WORKER.split())
        yield OURS


def forward(servers: Bench, name: str, url: str, **config: Any) -> str:
    """A new token whose hits go to this webhook; its Authorization header."""
    authorization = servers.issue(name)
    text = json.dumps({"url": url, **config})
    servers.manage("add_integration", name, "webhook", "--config", text)
    return authorization
