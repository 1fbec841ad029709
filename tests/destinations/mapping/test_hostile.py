"""Expressions that want to take for ever: each ends within its limit, and the next works again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.destinations.samples import SAMPLES
from tests.support.hostile import CONDITIONS, PATHS, generated
from tests.support.sizes import of_faults
from tracking.destinations.mapping import document, evaluator, protocol
from tracking.destinations.mapping.evaluator import (
    ExpressionLimitError,
    ExpressionRefusedError,
    environment,
)
from tracking.destinations.mapping.event_mapping import EventMapping
from tracking.events import Event
from tracking.exceptions import DeliveryError, RetryableError

SALE = SAMPLES["transaction"]
PROPERTIES: dict[str, Any] = {
    "name": "x",
    "list": list(range(12_000, 0, -1)),
    "long": "y" * 30_000,
    "texts": ["z" * 20] * 400,
    "rows": [{"a": number, "list": [3, 2, 1]} for number in range(400)],
}
LARGEST = document.read(replace(SALE, payload={**SALE.payload, "event": PROPERTIES}))
#: Seconds that one request may take here: two limits of computing time, on a busy machine.
PATIENCE = 5.0
#: A thing that the grammar allows and that takes more than the limit.
SLOW = ("sort(properties.list) | sort(@) | length(@)",) * 1000

the_evaluator = evaluator.evaluator


def works() -> bool:
    """Return whether the evaluator answers an ordinary request."""
    (result,) = the_evaluator.evaluate("", ["name"], [LARGEST])
    return result == (protocol.SET, ["Completed Transaction"])


def assert_ends(text: str, *, is_condition: bool) -> None:
    """Check and evaluate the expression, whatever the check says."""
    paths = [] if is_condition else [text]
    for work in (
        lambda: the_evaluator.check(text, is_condition=is_condition),
        lambda: the_evaluator.evaluate(text if is_condition else "", paths, [LARGEST]),
    ):
        began = time.monotonic()
        with suppress(ExpressionLimitError, ExpressionRefusedError):
            work()
        assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize("text", CONDITIONS, ids=range(len(CONDITIONS)))
def test_a_hostile_condition_ends(text: str) -> None:
    assert_ends(text, is_condition=True)


@pytest.mark.parametrize("text", PATHS, ids=range(len(PATHS)))
def test_a_hostile_path_ends(text: str) -> None:
    assert_ends(text, is_condition=False)


@pytest.mark.parametrize("text", CONDITIONS[:56], ids=range(56))
def test_a_macro_is_refused_in_every_spelling(text: str) -> None:
    assert "iterates over lists" in the_evaluator.check(text, is_condition=True)


@pytest.mark.faults
def test_generated_expressions_end() -> None:
    for number, text in enumerate(islice(generated(7), of_faults(10_000))):
        assert_ends(text, is_condition=number % 2 == 0)
    assert the_evaluator.evaluate("", ["name"], [LARGEST]) == [
        (protocol.SET, ["Completed Transaction"])
    ]


def test_the_expression_that_takes_too_long_is_named_and_the_next_request_works() -> None:
    began = time.monotonic()
    with pytest.raises(ExpressionLimitError, match=r"sort\(properties.list\).*0\.25 s"):
        the_evaluator.evaluate("", ["name", *SLOW], [LARGEST])
    assert time.monotonic() - began < PATIENCE
    assert the_evaluator.evaluate("", ["name"], [LARGEST]) == [
        (protocol.SET, ["Completed Transaction"])
    ]


def test_documents_that_take_long_together_are_answered_in_turns() -> None:
    slow = SLOW[:20]
    results = the_evaluator.evaluate("", slow, [LARGEST] * 50)
    assert 1 <= len(results) < 50


def test_values_that_are_too_large_fail_and_the_memory_is_bounded() -> None:
    long = {**LARGEST, "properties": {"long": "y" * 60_000}}
    ((code, reason),) = the_evaluator.evaluate("", ["properties.long"] * 50, [long])
    assert (code, reason) == (protocol.FAILED, "The values are too large.")
    assert child().memory_info().rss < protocol.MEMORY_BYTES


def test_an_expression_that_needs_more_memory_than_there_is_is_named() -> None:
    texts = [f"to_string(to_string(properties.a{number}))" for number in range(3)]
    deep = {f"a{number}": '"\\' * 9_000_000 for number in range(3)}
    try:
        results = the_evaluator.evaluate("", texts, [{"properties": deep}])
    except ExpressionLimitError as error:
        assert "properties.a" in str(error)  # noqa: PT017
    else:
        assert results[0][0] == protocol.FAILED


def child() -> psutil.Process:
    (found,) = [each for each in psutil.Process().children() if evaluator.MODULE in each.cmdline()]
    return found


def test_the_process_has_no_socket_and_no_secret() -> None:
    the_evaluator.evaluate("", ["name"], [LARGEST])
    process = child()
    assert process.net_connections() == []
    assert not {"DATABASE_URL", "HITSTREAM_SECRET_KEYS", "SECRET_KEY"} & set(process.environ())
    files = Path(f"/proc/{process.pid}/fd")
    assert not [each for each in files.iterdir() if os.readlink(each).startswith("socket:")]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_others_end_is_replaced(how: signal.Signals) -> None:
    the_evaluator.evaluate("", ["name"], [LARGEST])
    child().send_signal(how)
    assert the_evaluator.evaluate("", ["name"], [LARGEST]) == [
        (protocol.SET, ["Completed Transaction"])
    ]


def test_a_process_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    the_evaluator.evaluate("", ["name"], [LARGEST])
    monkeypatch.setattr(evaluator, "ANSWER_SECONDS", 0.2)
    child().send_signal(signal.SIGSTOP)
    with pytest.raises(RetryableError, match="too busy"):
        the_evaluator.evaluate("", ["name"], [LARGEST])
    monkeypatch.undo()
    assert the_evaluator.evaluate("", ["name"], [LARGEST]) == [
        (protocol.SET, ["Completed Transaction"])
    ]


def test_an_answer_that_nobody_waited_for_is_not_that_of_the_next_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    the_evaluator.evaluate("", ["name"], [LARGEST])
    monkeypatch.setattr(evaluator.EvaluatorProcess, "_read", interrupt)
    with pytest.raises(KeyboardInterrupt):
        the_evaluator.evaluate("", ["type"], [LARGEST])
    monkeypatch.undo()
    assert works()


def test_a_process_that_does_not_start_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    the_evaluator.close()
    monkeypatch.setattr(evaluator, "START_SECONDS", 0.0)
    with pytest.raises(RetryableError, match="cannot be started"):
        the_evaluator.evaluate("", ["name"], [LARGEST])
    assert not [each for each in psutil.Process().children() if evaluator.MODULE in each.cmdline()]
    monkeypatch.undo()
    assert works()


def test_a_fork_has_a_process_of_its_own() -> None:
    the_evaluator.evaluate("", ["name"], [LARGEST])
    ours = child().pid
    pid = os.fork()
    if pid == 0:
        status = 1
        with suppress(BaseException):
            same = the_evaluator.evaluate("", ["name"], [LARGEST]) == [
                (protocol.SET, ["Completed Transaction"])
            ]
            status = 0 if same and child().pid != ours else 1
            the_evaluator.close()
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert the_evaluator.evaluate("", ["name"], [LARGEST]) == [
        (protocol.SET, ["Completed Transaction"])
    ]
    assert child().pid == ours


PARENT = """
import os, signal, sys
from tracking.destinations.mapping.evaluator import evaluator
evaluator.evaluate("", ["name"], [{"name": "x"}])
print(evaluator._child._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_process_ends_with_a_parent_that_is_killed() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PARENT], capture_output=True, text=True, env=environment()
    )
    pid = int(run.stdout)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_mapping_without_expressions_starts_no_process() -> None:
    the_evaluator.close()
    assert isinstance(EventMapping(drop=("ip",), hash=("traits.email",)).apply(SALE), Event)
    assert psutil.Process().children() == [] or not any(
        evaluator.MODULE in each.cmdline() for each in psutil.Process().children()
    )


def test_a_batch_is_mapped_in_order_whatever_is_sampled_or_skipped() -> None:
    events = [replace(SALE, anonymous_id=f"a{number}") for number in range(500)]
    mapping = EventMapping(
        percent=50.0, condition="anonymousId.endsWith('1') || userId != ''", set=(("ip", "id"),)
    )
    together = mapping.apply_all(events)
    for event, outcome in zip(events, together, strict=True):
        try:
            alone: Any = mapping.apply(event)
        except DeliveryError as error:
            alone = error
        except Exception as error:
            alone = error
        assert str(alone) == str(outcome)
