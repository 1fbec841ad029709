"""One supervisor for a var directory, and one program for a port."""

import errno
import fcntl
import os
import signal
import socket
from pathlib import Path
from typing import Any

from project.embedded.account import EmbeddedError
from project.embedded.process import end_all, supervised_by, wait_for

#: Seconds for which a killed process may still hold a port.
MOMENT = 1.0


def lock_var(directory: Path, url: str) -> int:
    """Lock the directory for this process until the returned descriptor is closed."""
    descriptor = os.open(directory / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 500).decode().strip() or "starting"
        os.close(descriptor)
        raise EmbeddedError(f"Already running: {holder}") from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"pid {os.getpid()}, {url}\n".encode())
    return descriptor


def end_leftovers(directory: Path) -> None:
    """End the processes that a killed supervisor of this directory left running."""
    steps = ((None, 0.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, 5.0))
    if not end_all(lambda: supervised_by(directory), steps):
        pids = ", ".join(map(str, supervised_by(directory)))
        raise EmbeddedError(f"Processes of an earlier run do not end: {pids}")


def check_port(host: str, port: int) -> None:
    """Raise EmbeddedError if the web server cannot listen there within a moment: a killed process
    disappears before it has released its sockets."""
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    if not wait_for(lambda: can_listen(family, address), MOMENT):
        raise EmbeddedError(
            f"Port {port} is taken by another program; choose another: make run PORT={port + 1}"
        )


def can_listen(family: socket.AddressFamily, address: Any) -> bool:
    """Return whether the port is free. Raises EmbeddedError for an address that cannot be listened
    on."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise EmbeddedError(
                f"Cannot listen on {address[0]}:{address[1]}: {error.strerror}"
            ) from None
    return True
