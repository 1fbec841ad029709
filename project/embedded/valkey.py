"""The embedded Valkey: the broker of one directory, on a unix socket only."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from project.embedded.account import EmbeddedError
from project.embedded.binaries import valkey_binary
from project.embedded.paths import broker_url, valkey_socket
from project.embedded.process import read_pid, runs_with
from project.embedded.server import Server


class EmbeddedValkey(Server):
    """`with EmbeddedValkey(directory) as valkey: Celery(broker=valkey.url)`.

    A write is on disk within a second. With keep=False the data is deleted when the server stops.
    """

    name = "valkey"
    stop_signal = signal.SIGTERM
    hurry_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        return broker_url(self.directory)

    @property
    def data(self) -> Path:
        return self.directory / "valkey"

    @property
    def socket(self) -> Path:
        return valkey_socket(self.directory)

    @property
    def pid_file(self) -> Path:
        """Present while the server runs, and after it was killed."""
        return self.data / "valkey.pid"

    def command(self) -> list[str]:
        return [
            str(valkey_binary()),
            *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            *("--dir", str(self.data), "--pidfile", str(self.pid_file)),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            # The checker takes a base in RDB format for a broken one.
            *("--aof-use-rdb-preamble", "no", "--loglevel", "warning"),
            # The pid file is compared with the command line.
            *("--set-proc-title", "no", "--daemonize", "no"),
        ]

    def prepare(self) -> None:
        self.account.own(self.data)
        self.account.own(self.socket.parent)
        if self.pid_file.exists():
            self.pid_file.unlink()
            self._mend()

    def running_pid(self) -> int | None:
        pid = read_pid(self.pid_file)
        return pid if runs_with(pid, "valkey-server", f"--unixsocket {self.socket} ") else None

    def accepts(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(5)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def remove(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.socket.parent, ignore_errors=True)

    def _mend(self) -> None:
        """Cut off what the server refuses to read after a kill, else set all of it aside.

        A lost wake-up is harmless: what is queued is in Postgres.
        """
        log = self.data / "appendonlydir"
        manifest = log / "appendonly.aof.manifest"
        if manifest.exists() and not self._check(manifest) and not self._check(manifest, "--fix"):
            log.rename(log.with_name(f"{log.name}.broken-{time.time_ns()}"))

    def _check(self, manifest: Path, *options: str) -> bool:
        """Return whether the append-only files can be read."""
        try:
            checked = subprocess.run(  # noqa: S603
                # Under this name the server acts as its own checker.
                ["valkey-check-aof", *options, str(manifest)],  # noqa: S607
                executable=valkey_binary(),
                input=b"y\n",
                capture_output=True,
                check=False,
                timeout=60,
            )
        except subprocess.TimeoutExpired as error:
            raise EmbeddedError(f"{manifest} cannot be checked: move {self.data} away") from error
        return checked.returncode == 0
