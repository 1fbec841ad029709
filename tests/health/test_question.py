"""Something that may hang is asked once, and waited for briefly."""

import threading
import time
from itertools import count

import pytest

from tracking.health.probe import NoAnswerError, Probe


def test_an_answer_is_remembered_for_a_while() -> None:
    question = Probe(count().__next__, patience=5, remember=60)
    assert [question.answer() for _ in range(3)] == [0, 0, 0]
    question.forget()
    assert question.answer() == 1


def test_an_error_is_an_answer() -> None:
    def fail() -> int:
        raise ConnectionRefusedError("nobody is there")

    with pytest.raises(ConnectionRefusedError, match="nobody"):
        Probe(fail, patience=5, remember=1).answer()


def test_what_hangs_is_asked_by_one_thread_and_waited_for_once() -> None:
    hanging, asked = threading.Event(), []

    def hang() -> str:
        asked.append(1)
        assert hanging.wait(30)
        return "at last"

    question = Probe(hang, patience=0.3, remember=60)
    for _ in range(50):
        with pytest.raises(NoAnswerError):
            question.answer()
    assert len(asked) == 1
    hanging.set()
    ends = time.monotonic() + 5
    while not question.is_known and time.monotonic() < ends:
        time.sleep(0.01)
    assert question.answer() == "at last"
