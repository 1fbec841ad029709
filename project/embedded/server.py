"""What both embedded servers share: one owner at a time, adoption, start and stop."""

import fcntl
import os
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Self

from project.embedded.account import Account, EmbeddedError
from project.embedded.process import wait_for
from tracking.server.parent import die_with_parent


class Server(ABC):
    """A server of one directory.

    The first process to start it owns and stops it; others meanwhile just use it. The next one
    adopts a server whose owner died.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    hurry_signal: ClassVar[signal.Signals]

    def __init__(self, directory: Path, *, keep: bool = True) -> None:
        self.directory = directory.resolve()
        self.keep = keep
        self.account = Account()
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address of the server for clients."""

    @abstractmethod
    def prepare(self) -> None:
        """Create what the command needs, and remove what a dead server left."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return the server's arguments; it stays in the foreground."""

    @abstractmethod
    def running_pid(self) -> int | None:
        """Return the pid of a live server of this directory."""

    @abstractmethod
    def accepts(self) -> bool:
        """Return whether the server answers."""

    @abstractmethod
    def remove(self) -> None:
        """Delete the stopped server's files."""

    def own(self, within: float = 0) -> bool:
        """Try to become the one owner. Returns whether this process is it.

        A killed owner remains one for some milliseconds: wait up to `seconds`.
        """
        return wait_for(self._take_lock, within)

    def _take_lock(self) -> bool:
        if self._lock is None:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.directory / f"{self.name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                return False
            self._lock = lock
        return True

    def adopt(self) -> int | None:
        """Return the pid of a server that a dead owner left running; wait for one that is shutting
        down."""
        if not wait_for(lambda: self.running_pid() is None or self._stays(), 60):
            raise EmbeddedError(
                f"{self.name} (pid {self.running_pid()}) runs but does not answer: stop it first"
            )
        return self.running_pid()

    def start(self) -> None:
        """Start the server, which dies with this process, and wait until it answers. Its output
        goes to a file."""
        if self.own(within=0.3) and self.adopt() is None:
            self.prepare()
            with self.log.open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603
                    self.command(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=self._dies_with_us(),
                    **self.account.identity,
                )
        if not wait_for(lambda: self._ended() or self.accepts(), 60) or self._ended():
            self.stop()
            raise EmbeddedError(f"{self.name} did not start:\n{self.tail()}")

    def stop(self) -> None:
        """Stop the server if this process owns it; then another may own it."""
        if self._lock is None:
            return
        pid = self._process.pid if self._process else self.running_pid()
        for number, seconds in (
            (self.stop_signal, 30),
            (self.hurry_signal, 5),
            (signal.SIGKILL, 5),
        ):
            if pid is None or self._ended() or self._gone():
                break
            os.kill(pid, number)
            wait_for(lambda: self._ended() or self._gone(), seconds)
        self._process = None
        if not self.keep:
            self.remove()
        os.close(self._lock)
        self._lock = None

    @property
    def log(self) -> Path:
        return self.directory / f"{self.name}.log"

    def tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-10:])

    def _stays(self) -> bool:
        """Return whether the server answers and keeps running: its owner's death may be about to
        reach it."""
        if self.accepts():
            time.sleep(0.1)
        return self.accepts()

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _gone(self) -> bool:
        return self._process is None and self.running_pid() is None

    def _dies_with_us(self) -> Callable[[], None] | None:
        main = threading.current_thread() is threading.main_thread()
        return die_with_parent(self.stop_signal) if main else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
