"""PgBouncer in transaction mode, in front of a Postgres of the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from project.embedded.account import Account
from project.embedded.paths import DATABASE, ROLE
from tests.support.waiting import wait_until

#: The tests of this run reach Postgres through PgBouncer.
IS_POOLED = bool(os.environ.get("HITSTREAM_TEST_POOLED"))
#: What a pooler hides: the session behind a client, and that there is a limit of sessions.
of_a_session = pytest.mark.skipif(IS_POOLED, reason="It is about one session of Postgres.")

#: Another one than that of the PATH.
PROGRAM = os.environ.get("PGBOUNCER") or shutil.which(
    "pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin"
)
#: What a deployment would write; clients share few sessions, so that they get each other's.
CONFIGURATION = """
[databases]
{databases}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = 8
max_client_conn = 500
server_lifetime = 30
{options}
"""


@contextmanager
def pgbouncer(
    target: str, port: int, *, mode: str = "transaction", options: str = ""
) -> Iterator[subprocess.Popen[bytes]]:
    """Run it on this port in front of `target`, a host in libpq's words."""
    assert PROGRAM, "PgBouncer is not installed: make test-deps"
    with tempfile.TemporaryDirectory(prefix="hitstream-pgbouncer-") as name:
        folder, account = Path(name), Account.for_postgres()
        (folder / "users").write_text(f'"{ROLE}" ""\n')
        (folder / "pgbouncer.ini").write_text(
            CONFIGURATION.format(
                databases=f"* = {target}", port=port, folder=folder, mode=mode, options=options
            )
        )
        account.own(folder)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [PROGRAM, str(folder / "pgbouncer.ini")],
                stdout=log,
                stderr=log,
                **account.identity,
            )
        try:
            wait_until(lambda: process.poll() is not None or listens(port), within=10)
            assert process.poll() is None, (folder / "log").read_text()
            yield process
        finally:
            process.kill()
            process.wait()


def pooled_url(port: int) -> str:
    return f"postgresql://{ROLE}@127.0.0.1:{port}/{DATABASE}"


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
