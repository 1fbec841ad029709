"""Three nodes of Patroni with etcd, each behind a network of its own that can be cut."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from project.embedded.account import Account
from project.embedded.paths import ROLE
from tests.support.ports import HOST, free_port
from tests.support.proxy import Proxy, proxy
from tests.support.waiting import wait_until

#: Debian's: the newest of those that are there.
BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
NEEDED = ("patroni", "etcd")
#: Patroni takes no shorter ttl than 20 seconds.
SETTINGS = """
scope: hitstream
name: {name}
restapi: {{listen: "127.0.0.1:{api}", connect_address: "127.0.0.1:{api_outside}"}}
etcd3: {{hosts: ["127.0.0.1:{etcd}"], use_proxies: true}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 1
    retry_timeout: 3
    maximum_lag_on_failover: 1048576
    synchronous_mode: true
    master_start_timeout: 0
    postgresql:
      use_pg_rewind: true
      parameters: {{max_connections: 200, wal_keep_size: 256MB}}
  initdb: [{{encoding: UTF8}}, {{locale: C}}]
postgresql:
  listen: "127.0.0.1:{port}"
  connect_address: "127.0.0.1:{outside}"
  data_dir: {folder}/data
  bin_dir: {binaries}
  pgpass: {folder}/pgpass
  authentication:
    superuser: {{username: {role}, password: secret}}
    replication: {{username: replicator, password: secret}}
    rewind: {{username: rewinder, password: secret}}
  parameters: {{unix_socket_directories: "{folder}"}}
  pg_hba:
    - local all all trust
    - host all all 127.0.0.1/32 trust
    - host replication all 127.0.0.1/32 trust
"""


@dataclass
class Node:
    """`networks` are its ways in and out: to its Postgres, from it to etcd, to its Patroni."""

    name: str
    folder: Path
    port: int
    api: int
    networks: list[Proxy] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    @property
    def outside(self) -> int:
        """The port by which others reach its Postgres."""
        return self.networks[0].port

    def write(self) -> None:
        text = SETTINGS.format(
            name=self.name,
            api=self.api,
            api_outside=self.networks[2].port,
            etcd=self.networks[1].port,
            port=self.port,
            outside=self.outside,
            folder=self.folder,
            binaries=BINARIES,
            role=ROLE,
        )
        (self.folder / "patroni.yml").write_text(text)

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["patroni", str(self.folder / "patroni.yml")],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **Account.for_postgres().identity,
            )

    def is_leader(self) -> bool:
        return answers(f"http://{HOST}:{self.api}/leader")

    def is_synchronous(self) -> bool:
        return answers(f"http://{HOST}:{self.api}/synchronous")

    def kill_postgres(self) -> None:
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def kill_machine(self) -> None:
        """Nothing of it runs any more."""
        assert self.process
        processes = [*psutil.Process(self.process.pid).children(recursive=True)]
        self.process.kill()
        with suppress(OSError, ValueError):
            pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
            postmaster = psutil.Process(pid)
            processes += [postmaster, *postmaster.children(recursive=True)]
        for each in processes:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self.process.wait()

    def cut(self) -> None:
        for each in self.networks:
            each.go_silent()

    def reconnect(self) -> None:
        """The network is back. What was connected before ends, as by `tcp_user_timeout`."""
        for each in self.networks:
            each.come_back()
            each.reset()


@dataclass
class Cluster:
    nodes: list[Node]

    def url(self, database: str) -> str:
        hosts = ",".join(f"{HOST}:{node.outside}" for node in self.nodes)
        return f"postgresql://{ROLE}@{hosts}/{database}"

    def leader(self) -> Node:
        wait_until(self._leaders, within=90)
        return self._leaders()[0]

    def _leaders(self) -> list[Node]:
        return [node for node in self.nodes if node.is_leader()]

    def wait_until_whole(self) -> None:
        """There are a leader and a synchronous standby."""
        wait_until(
            lambda: self._leaders() and any(node.is_synchronous() for node in self.nodes),
            within=120,
        )


def is_missing() -> bool:
    return BINARIES is None or not all(map(shutil.which, NEEDED))


@contextmanager
def cluster() -> Iterator[Cluster]:
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hitstream-patroni-")))
        base.chmod(0o755)
        etcd = stack.enter_context(running_etcd(base))
        nodes = []
        for number in range(3):
            node = Node(f"n{number}", base / f"n{number}", free_port(), free_port())
            Account.for_postgres().own(node.folder)
            for port in (node.port, etcd, node.api):
                node.networks.append(stack.enter_context(proxy(to(port), forgets=True)))
            node.write()
            nodes.append(node)
        made = Cluster(nodes)
        stack.callback(stop, nodes)
        nodes[0].start()
        wait_until(nodes[0].is_leader, within=90)
        for node in nodes[1:]:
            node.start()
        made.wait_until_whole()
        yield made


def stop(nodes: list[Node]) -> None:
    for node in nodes:
        if node.process and node.process.poll() is None:
            node.kill_machine()


def to(port: int) -> Callable[[], socket.socket]:
    return lambda: socket.create_connection((HOST, port))


@contextmanager
def running_etcd(base: Path) -> Iterator[int]:
    folder, port, peers = base / "etcd", free_port(), free_port()
    folder.mkdir()
    client, peer = f"http://{HOST}:{port}", f"http://{HOST}:{peers}"
    with (base / "etcd.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *("etcd", "--data-dir", str(folder), "--name", "one"),
                *("--listen-client-urls", client, "--advertise-client-urls", client),
                *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
                *("--initial-cluster", f"one={peer}", "--unsafe-no-fsync"),
            ],
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: answers(f"{client}/health"), within=20)
        yield port
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    """Return whether it answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
