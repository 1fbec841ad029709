"""`python -m project.run`: everything Hitstream needs, in one terminal, until Ctrl-C.

The environment may set HOST, PORT, DATABASE_URL and BROKER_URL (each replaces the embedded server),
HITSTREAM_VAR (where everything is kept), NO_COLOR. With the argument --with-parent it also stops
when its parent dies.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from project.embedded.account import EmbeddedError, claim_var
from project.embedded.banner import welcome
from project.embedded.child import Program
from project.embedded.lock import check_port, end_leftovers, lock_var
from project.embedded.log import Log
from project.embedded.paths import ROOT, is_external, is_given, var_directory
from project.embedded.postgres import EmbeddedPostgres
from project.embedded.process import SUPERVISED, stop_with_parent
from project.embedded.pulses import clear
from project.embedded.secret import make_secrets
from project.embedded.server import Server
from project.embedded.supervisor import Awaited, Plan, Supervisor
from project.embedded.valkey import EmbeddedValkey
from tracking.server import commands, pulse
from tracking.server.database import ROLE

PYTHON = (sys.executable, "-m")
PREPARE = (*PYTHON, "project.embedded.prepare")
WORKER = " ".join(commands.worker())
BEAT = " ".join(commands.beat())
KEYS = ("DJANGO_SECRET_KEY", "HITSTREAM_SECRET_KEYS")


def web() -> str:
    """Return the web server: a process for each core, but at least two, so that one serves while
    the other is replaced; HITSTREAM_WORKERS overrides the number."""
    return " ".join(commands.web(commands.web_processes()))


@dataclass(frozen=True)
class Address:
    """The address that the web server listens on."""

    host: str
    port: int

    @classmethod
    def from_environment(cls) -> "Address":
        port = os.environ.get("PORT") or "8000"
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise EmbeddedError(f"PORT must be a number from 1 to 65535, not {port!r}")
        return cls(os.environ.get("HOST") or "127.0.0.1", int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the address."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def reachable_host(self) -> str:
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104

    @property
    def url(self) -> str:
        host = self.reachable_host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    async def answers(self) -> bool:
        """Return whether an HTTP server answers, with any status."""
        try:
            reader, writer = await asyncio.open_connection(self.reachable_host, self.port)
            writer.write(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            status = await asyncio.wait_for(reader.readline(), 5)
            writer.close()
        except (OSError, TimeoutError):
            return False
        return status.startswith(b"HTTP/1.")


def plan(address: Address, var: Path) -> Plan:
    """Return the servers that no URL replaces, and the three processes of the project."""
    environment = {
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "project.settings",
        **os.environ,
        "HITSTREAM_VAR": str(var),
        SUPERVISED: str(var),
    }

    def program(name: str, *command: str, grace: float) -> Program:
        pulses = var / "pulse" / name
        clear(pulses)
        return Program(
            name=name,
            command=lambda: command,
            environment={**environment, ROLE: name, pulse.DIRECTORY: str(pulses)},
            grace=grace,
            pulses=pulses,
        )

    where = ("--host", address.host, "--port", str(address.port))
    schedule = var / "beat" / "schedule"
    return Plan(
        servers=[awaited(server) for server in servers(os.environ, var)],
        prepare=program("prepare", *PREPARE, grace=5),
        programs=(
            program("web", *PYTHON, *web().split(), *where, grace=20),
            program("beat", *PYTHON, *BEAT.split(), str(schedule), grace=5),
            program("worker", *PYTHON, *WORKER.split(), grace=20),
        ),
        ready=address.answers,
        welcome=lambda seconds: welcome(address.url, seconds),
    )


def servers(environment: Mapping[str, str], var: Path) -> list[Server]:
    """Return the servers in the order in which they stop."""
    found: list[Server] = []
    if not is_given(environment, "BROKER_URL"):
        found.append(EmbeddedValkey(var))
    if not is_external(environment):
        found.append(EmbeddedPostgres(var))
    return found


def awaited(server: Server) -> Awaited:
    """Return the server as a program that this process owns, adopts and prepares."""

    def before() -> int | None:
        if not server.own(within=2):
            raise EmbeddedError(f"another program holds {server.directory}/{server.name}.lock")
        pid = server.adopt()
        if pid is None:
            server.prepare()
        return pid

    return Awaited(
        program=Program(
            name=server.name,
            command=server.command,
            account=server.account,
            stop_signal=server.stop_signal,
            hurry_signal=server.hurry_signal,
            grace=15,
            before=before,
        ),
        ready=server.accepts,
    )


def refuse_invention(environment: Mapping[str, str]) -> None:
    """Raise EmbeddedError where a Postgres is named and the keys of what it stores are not: other
    hosts use the same keys, and none is made up beside a database that may have some."""
    missing = [name for name in KEYS if not is_given(environment, name)]
    if is_external(environment) and missing:
        raise EmbeddedError(
            f"DATABASE_URL names a Postgres of your own: set {' and '.join(missing)} too, "
            "to the same on every host. make run makes keys, users and tokens only in its own "
            "Postgres. On a server use the command hitstream."
        )


def run() -> int:
    var = var_directory()
    try:
        refuse_invention(os.environ)
        web()
        address = Address.from_environment()
        claim_var(var)
        lock_var(var, address.url)
        end_leftovers(var)
        check_port(address.host, address.port)
    except (EmbeddedError, ImproperlyConfigured) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not is_external(os.environ):
        make_secrets(var, is_loopback=address.is_loopback)
    (var / "beat").mkdir(mode=0o700, exist_ok=True)
    os.chdir(ROOT)
    return asyncio.run(Supervisor(plan(address, var), Log()).run())


if __name__ == "__main__":
    if "--with-parent" in sys.argv[1:]:
        stop_with_parent()
    sys.exit(run())
