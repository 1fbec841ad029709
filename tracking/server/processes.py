"""Several worker processes under one: `hitstream worker --processes auto`."""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from collections.abc import Sequence
from types import FrameType

from tracking.server.parent import die_with_parent

#: Seconds before a process that died is started again: the first time, and at most.
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
#: A process that ran for so many seconds had a good start.
GOOD_SECONDS = 60.0
#: Seconds between two looks at the processes.
LOOK_SECONDS = 0.2

logger = logging.getLogger(__name__)


class KeptProcess:
    """One of the processes, and its successors after it died."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._delay = 0.0
        self._start()

    def _start(self) -> None:
        self._began = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603 (a command of ours)
            self._command,
            # In a group of its own: Ctrl-C reaches this process alone, which ends the others.
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        self._due: float | None = None

    def look(self) -> None:
        """Start the process again if it died, after a delay that doubles with each death."""
        status, now = self._process.poll(), time.monotonic()
        if status is None:
            return
        if self._due is None:
            lived = now - self._began
            longer = min(LONGEST_DELAY, self._delay * 2)
            self._delay = longer if self._delay and lived < GOOD_SECONDS else FIRST_DELAY
            self._due = now + self._delay
            logger.warning(
                "Worker process %s ended with status %s: starting it again in %.1f s",
                self._process.pid,
                status,
                self._delay,
            )
        elif now >= self._due:
            self._start()

    def send(self, number: int) -> None:
        """Send a signal to the process; a dead one gets none."""
        self._process.send_signal(number)

    def wait(self) -> int:
        return self._process.wait()


def keep_running(commands: Sequence[Sequence[str]]) -> int:
    """Run each command until SIGTERM or Ctrl-C, which is passed on; one that dies is started again.
    Returns 0, or 1 if one ended with an error."""
    signals: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        signals.append(number)

    kept = [KeptProcess(command) for command in commands]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    while not signals:
        time.sleep(LOOK_SECONDS)
        for each in kept:
            each.look()
    # Once each: a second Ctrl-C would cut off what a worker is sending.
    for each in kept:
        each.send(signals[0])
    statuses = [each.wait() for each in kept]
    return int(any(statuses))
