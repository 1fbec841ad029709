"""The objects that live as long as their process: who resets, drains and forgets them.

| object                                 | content                          | events         |
|----------------------------------------|----------------------------------|----------------|
| `ingest.write.loop_writer.loop_writer` | hits that the event loop stores  | fork, shutdown |
| `ingest.write.store.writer`            | hits that a thread stores        | fork, shutdown |
| `ingest.write.spool.spool`             | hits on their way to the journal | all three      |
| `ingest.auth.authentication`           | the file of known tokens         | fork, forget   |
| `ingest.write.refusals.refusals`       | counted refusals                 | all three      |
| `ingest.write.refused_samples.samples` | samples of refused requests      | all three      |
| `ingest.write.duplicates.duplicates`   | counted duplicates               | fork, forget   |
| `ingest.auth.authentication.tokens`    | token look-ups                   | fork, forget   |
| `ingest.write.fanout`                  | integrations by token            | forget         |
| `delivery.scan_bounds.scan_bounds`     | lower bounds of the queue scans  | forget         |
| `delivery.engine.engine`               | the running deliveries           | fork           |
| `delivery.failure_log.failure_log`     | when failures were logged        | forget         |
| `wakeup.waker`                         | a wanted wake-up                 | fork           |
| `silence.watch`                        | connections that may be silent   | fork           |
| `ingest.write.readiness`               | a connection, the last answer    | fork, shutdown |
| `delivery.mapping_stage.mapping_thread`| who waits for the evaluator      | fork           |
| `destinations.mapping.evaluator`       | the process of expressions       | fork           |
| `destinations.transport.names.lookups` | host names that are looked up    | fork           |
| the probes of `health`                 | the last status of a component   | fork           |

A module that makes such an object registers it here, in the order in which the objects finish.
"""

from __future__ import annotations

import os
from collections.abc import Callable

Callback = Callable[[], object]

_at_shutdown: list[Callback] = []
_on_forget: list[Callback] = []


def after_fork(reset: Callback) -> None:
    """Call `reset` in every child process: threads, locks and connections do not survive a fork."""
    os.register_at_fork(after_in_child=reset)


def at_shutdown(finish: Callback) -> None:
    """Call `finish` when the process stops: it writes what the object still holds."""
    _at_shutdown.append(finish)


def on_forget(forget: Callback) -> None:
    """Call `forget` where a test begins with an empty memory."""
    _on_forget.append(forget)


def shutdown() -> None:
    """Write everything that the process still holds, in the order of registration."""
    for finish in _at_shutdown:
        finish()


def forget() -> None:
    """Drop everything that the process remembers: caches and counters that are not yet written."""
    for each in _on_forget:
        each()
