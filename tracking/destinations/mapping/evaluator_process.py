"""The process that compiles and evaluates what operators write: `evaluator` starts it.

It reads requests from its standard input and writes answers to its standard output, and ends when
its parent does. The kernel ends it when one document takes more than the request's limit of
computing time, whatever code runs then: no Python code has to come to its turn.
"""

from __future__ import annotations

import mmap
import os
import resource
import signal
import struct
import sys
import time
from contextlib import suppress
from typing import Any

import msgspec

from tracking.destinations.mapping import expressions
from tracking.destinations.mapping.expression_error import ExpressionError
from tracking.destinations.mapping.protocol import (
    ANSWER_BYTES,
    FAILED,
    HELLO,
    LENGTH,
    MEMORY_BYTES,
    MISSING,
    PLACE,
    REFUSED,
    RESULT_BYTES,
    SET,
    SLICE_SECONDS,
    UNMET,
    Check,
    Evaluate,
)

Result = tuple[int, Any]


class Evaluation:
    """The evaluation of one request. `place` gets the number of the expression at work."""

    def __init__(self, place: mmap.mmap) -> None:
        self._place = place

    def answer(self, request: Check | Evaluate) -> bytes:
        """Return the encoded answer: the reason why an expression is refused, or the results of
        the first documents."""
        signal.setitimer(signal.ITIMER_PROF, request.limit)
        self._at(0)
        if isinstance(request, Evaluate):
            return self._results(request)
        compile = expressions.condition if request.is_condition else expressions.path
        try:
            compile(request.text)
        except ExpressionError as error:
            return msgspec.json.encode((error.message, error.params))
        return msgspec.json.encode(("", {}))

    def _at(self, number: int) -> None:
        struct.pack_into(PLACE, self._place, 0, number)

    def _refusal(self, request: Evaluate) -> str:
        """Compile the expressions. Returns why one of them is refused."""
        try:
            if request.condition:
                expressions.condition(request.condition)
            for number, text in enumerate(request.paths, start=1):
                self._at(number)
                expressions.path(text)
        except ExpressionError as error:
            return str(error)
        return ""

    def _results(self, request: Evaluate) -> bytes:
        if reason := self._refusal(request):
            return msgspec.json.encode([(REFUSED, reason)])
        results: list[bytes] = []
        size, ends = 0, time.process_time() + SLICE_SECONDS
        for document in request.documents:
            signal.setitimer(signal.ITIMER_PROF, request.limit)
            results.append(self._result(request, document))
            size += len(results[-1])
            if size > ANSWER_BYTES or time.process_time() > ends:
                break
        return b"[" + b",".join(results) + b"]"

    def _result(self, request: Evaluate, document: Any) -> bytes:
        try:
            encoded = msgspec.json.encode(self._evaluate(request, document))
        except Exception as error:
            # A value that is too deep, or no text of Unicode.
            return msgspec.json.encode((FAILED, expressions.first_line(error)))
        if len(encoded) <= RESULT_BYTES:
            return encoded
        return msgspec.json.encode((FAILED, "The values are too large."))

    def _evaluate(self, request: Evaluate, document: Any) -> Result:
        self._at(0)
        try:
            if request.condition and not expressions.condition(request.condition).holds(document):
                return UNMET, None
        except LookupError as error:
            return MISSING, str(error)
        except ExpressionError as error:
            return FAILED, str(error)
        values = []
        for number, text in enumerate(request.paths, start=1):
            self._at(number)
            try:
                values.append(expressions.path(text).find(document))
            except ExpressionError as error:
                return FAILED, str(error)
        return SET, values


def confine() -> None:
    """Bound the memory, and leave the signals of the computing time to the kernel. Errors of native
    code are not written into the log of the parent."""
    for kind, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):  # Not every system has every limit.
            resource.setrlimit(kind, (most, most))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def read(count: int) -> bytes:
    """Return so many bytes of the standard input. Raises EOFError if the parent has ended."""
    data = bytearray()
    while len(data) < count:
        chunk = os.read(0, min(count - len(data), 1 << 20))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)


def write(data: bytes) -> None:
    view = memoryview(struct.pack(LENGTH, len(data)) + data)
    while view:
        view = view[os.write(1, view) :]


def main() -> None:
    evaluation = Evaluation(mmap.mmap(int(sys.argv[1]), struct.calcsize(PLACE)))
    confine()
    decoder = msgspec.json.Decoder(Check | Evaluate)
    write(HELLO)
    with suppress(EOFError, BrokenPipeError):
        while True:
            (length,) = struct.unpack(LENGTH, read(struct.calcsize(LENGTH)))
            write(evaluation.answer(decoder.decode(read(length))))


if __name__ == "__main__":
    main()
