"""The evaluator of what operators write: documents in, values out, within a limit of time.

A process of its own compiles and evaluates the expressions, since native code keeps Python's lock
until it is done. The kernel ends that process when one document takes longer than TIME_LIMIT of
computing time; the next request starts another one. One process serves all integrations of its
parent, in turns of about SLICE_SECONDS. It inherits neither sockets nor settings, and ends with its
parent.
"""

from __future__ import annotations

import atexit
import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from django.utils.translation import gettext

from tracking import process
from tracking.destinations.mapping.expression_error import fill, gettext_noop
from tracking.destinations.mapping.protocol import LENGTH, PLACE, REFUSED, Check, Evaluate
from tracking.exceptions import RetryableError, SetupError

MODULE = "tracking.destinations.mapping.evaluator_process"
#: Seconds of computing time for one document.
TIME_LIMIT = 0.25
#: Seconds for an answer and for a start, on a machine that is busy; seconds to wait for one's turn.
ANSWER_SECONDS = 15.0
START_SECONDS = 60.0
TURN_SECONDS = 10.0
#: Signals by which the kernel ends a process that takes too long.
TOO_LONG = frozenset({signal.SIGPROF, signal.SIGXCPU})
#: Signals of a process that was ended by others, for nothing that it did.
FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT})
#: Variables of the environment that decide where libraries are found.
KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


class ExpressionLimitError(SetupError):
    """An expression of the mapping needs more time or memory than the mapping of one hit may.

    `message` is English, with named places for `params`.
    """

    def __init__(self, message: str, **params: str) -> None:
        super().__init__(fill(message, params))
        self.message, self.params = message, params


class ExpressionRefusedError(SetupError):
    """An expression of the mapping is not one, or is not allowed."""


class EndedError(Exception):
    """The process ended. `code` is its return code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"The evaluator ended ({code}).")
        self.code = code


class EvaluatorProcess:
    """The process, and its pipes. Raises OSError if it cannot be started."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as file:
            file.truncate(struct.calcsize(PLACE))
            self._place = mmap.mmap(file.fileno(), struct.calcsize(PLACE))
            self._process = subprocess.Popen(  # noqa: S603 (nothing of it comes from outside)
                [interpreter(), "-P", "-m", MODULE, str(file.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                pass_fds=(file.fileno(),),
                start_new_session=True,
                env=environment(),
                cwd="/",
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        for pipe in (self._in, self._out):
            os.set_blocking(pipe.fileno(), False)
        try:
            self._read(time.monotonic() + START_SECONDS)
        except BaseException:
            self.end()
            raise

    @property
    def place(self) -> int:
        """The number of the expression at work."""
        (number,) = struct.unpack_from(PLACE, self._place)
        return int(number)

    def ask(self, request: bytes) -> bytes:
        """Return the answer. Raises TimeoutError, or EndedError."""
        until = time.monotonic() + ANSWER_SECONDS
        view = memoryview(struct.pack(LENGTH, len(request)) + request)
        try:
            while view:
                self._wait(self._in.fileno(), select.POLLOUT, until)
                view = view[os.write(self._in.fileno(), view) :]
        except BrokenPipeError:
            raise EndedError(self._process.wait()) from None
        return self._read(until)

    def _read(self, until: float) -> bytes:
        (length,) = struct.unpack(LENGTH, self._take(struct.calcsize(LENGTH), until))
        return self._take(length, until)

    def _take(self, count: int, until: float) -> bytes:
        data = bytearray()
        while len(data) < count:
            self._wait(self._out.fileno(), select.POLLIN, until)
            chunk = os.read(self._out.fileno(), count - len(data))
            if not chunk:
                raise EndedError(self._process.wait())
            data += chunk
        return bytes(data)

    def _wait(self, pipe: int, event: int, until: float) -> None:
        poll = select.poll()
        poll.register(pipe, event)
        if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
            raise TimeoutError

    def end(self) -> None:
        self._process.kill()
        self.leave()
        self._process.wait()

    def leave(self) -> None:
        """Close the pipes of the process: in a fork of its parent it belongs to others."""
        for pipe in (self._in, self._out):
            with suppress(OSError):
                pipe.close()


class Evaluator:
    """The evaluator of this process. Its methods may be called by several threads: they take
    turns."""

    def __init__(self) -> None:
        self._child: EvaluatorProcess | None = None
        self._turn = threading.Lock()
        process.after_fork(self._after_fork)
        atexit.register(self.close)

    def _after_fork(self) -> None:
        if self._child is not None:
            self._child.leave()
        self._child, self._turn = None, threading.Lock()

    def close(self) -> None:
        """End the process; the next request starts another one."""
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def check(self, text: str, *, is_condition: bool) -> str:
        """Return why the expression cannot be used, in the language of the request; an empty text
        if it can. Raises RetryableError."""
        request = Check(TIME_LIMIT, is_condition, text)
        try:
            answer, _ = self._ask(msgspec.json.encode(request), [text])
        except ExpressionLimitError as error:
            return fill(gettext(error.message), error.params)
        message, params = msgspec.json.decode(answer)
        # The catalogue's entry of an empty message is its head.
        return fill(gettext(message), params) if message else ""

    def evaluate(
        self, condition: str, paths: Sequence[str], documents: Sequence[dict[str, Any]]
    ) -> list[tuple[int, Any]]:
        """Return the results of the first documents, one at least, in their order (see
        `protocol`). Raises ExpressionRefusedError and ExpressionLimitError, which name the
        expression, and RetryableError."""
        request = Evaluate(TIME_LIMIT, condition, tuple(paths), list(documents))
        texts = [condition, *paths]
        answer, place = self._ask(msgspec.json.encode(request), texts)
        results = [(code, value) for code, value in msgspec.json.decode(answer)]
        if results[0][0] == REFUSED:
            raise ExpressionRefusedError(
                f"The expression {shorten(texts, place)} of the mapping cannot be used:"
                f" {results[0][1]}"
            )
        return results

    def _ask(self, request: bytes, texts: Sequence[str]) -> tuple[bytes, int]:
        """Return the answer, and the number of the last expression at work."""
        with self._in_turn():
            for is_last in (False, True):
                if self._child is None:
                    self._child = start()
                try:
                    return self._child.ask(request), self._child.place
                except (EndedError, TimeoutError) as error:
                    place = self._child.place
                    self.close()
                    if message := blame(error):
                        raise ExpressionLimitError(
                            message, expression=shorten(texts, place), seconds=f"{TIME_LIMIT:g}"
                        ) from None
                    if is_last or isinstance(error, TimeoutError):
                        break
                except BaseException:
                    # Its answer would be taken for that of the next request.
                    self.close()
                    raise
        raise RetryableError(
            gettext_noop(
                "The mapping was not evaluated: the evaluator was ended, or the machine is too"
                " busy."
            )
        )

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=TURN_SECONDS):
            raise RetryableError(
                gettext_noop("The mapping was not evaluated: too many others wait for it.")
            )
        try:
            yield
        finally:
            self._turn.release()


def start() -> EvaluatorProcess:
    try:
        return EvaluatorProcess()
    except (OSError, EndedError) as error:
        raise RetryableError(f"The evaluator of mappings cannot be started: {error}") from None


def blame(error: Exception) -> str:
    """Return the sentence about the expression if it is to blame; an empty text if not."""
    if not isinstance(error, EndedError):
        return ""
    if -error.code in TOO_LONG:
        return gettext_noop(
            "The expression %(expression)s of the mapping takes more than %(seconds)s s of"
            " computing time for one hit: simplify it."
        )
    if -error.code in FROM_OUTSIDE or error.code == 0:
        return ""
    return gettext_noop(
        "The expression %(expression)s of the mapping needs too much memory: simplify it."
    )


def shorten(texts: Sequence[str], place: int) -> str:
    text = " ".join(texts[min(place, len(texts) - 1)].split())
    return text if len(text) <= 100 else f"{text[:100]}…"


def interpreter() -> str:
    """Return the path of Python. Inside a server that embeds it, sys.executable is the server."""
    if Path(sys.executable or "").name.startswith(("python", "pypy")):
        return sys.executable
    names = (f"python{sys.version_info[0]}.{sys.version_info[1]}", "python3", "python")
    folders = (Path(sys.prefix), Path(sys.exec_prefix), Path(sys.base_prefix))
    found = [folder / "bin" / name for folder in folders for name in names]
    return next((str(path) for path in found if path.exists()), sys.executable or "python3")


def environment() -> dict[str, str]:
    """Return an environment with what is needed to find the libraries, and without secrets."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(os.path.abspath(each) for each in sys.path)}


evaluator = Evaluator()
