"""Debian's Postgres, Redis, nginx and Caddy, each in a folder and on loopback ports of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from project.embedded.account import Account
from tests.support.ports import HOST, free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


def program(name: str) -> str:
    """Return the path of a program of Debian's."""
    path = shutil.which(name, path=PATH)
    assert path, f"{name} is missing: make deploy-deps"
    return path


def postgres_programs() -> Path:
    """Return the folder of the newest Postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))
    assert found, "Postgres is missing: make deploy-deps"
    return found[-1]


@contextmanager
def process(
    log: Path, *command: str | Path, **options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the end of the block; print the end of its log."""
    with log.open("ab") as output:
        started = subprocess.Popen(command, stdout=output, stderr=output, **options)  # type: ignore[call-overload]
    try:
        yield started
    finally:
        started.terminate()
        started.wait(40)
        print(f"--- {log.name}\n{log.read_text(errors='replace')[-6000:]}")  # noqa: T201


@dataclass
class Postgres:
    """A cluster with passwords on a port. Its folder must be one that any user may enter."""

    folder: Path
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    bin: Path = field(default_factory=postgres_programs)
    account: Account = field(default_factory=Account.for_postgres)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres:{self.password}@{self.address}/{database}"

    def create(self) -> None:
        """Make the cluster."""
        self.account.own(self.folder)
        (self.folder / "password").write_text(self.password)
        (self.folder / "password").chmod(0o644)
        self.run(
            *(self.bin / "initdb", "--pgdata", self.data, "--username=postgres"),
            *("--auth=scram-sha-256", f"--pwfile={self.folder / 'password'}"),
            *("--encoding=UTF8", "--locale=C.UTF-8"),
        )

    def run(self, *command: str | Path, **env: str) -> str:
        """Run one of its programs as its user. Returns the output."""
        done = subprocess.run(
            command,
            env={"PATH": PATH, "PGPASSWORD": self.password, **env},
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self.account.identity,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def psql(self, file: Path, **env: str) -> str:
        """Run a script as the superuser, who may sit at another machine."""
        done = subprocess.run(
            [self.bin / "psql", "--no-psqlrc", "-U", "postgres", "-f", file],
            env={
                "PATH": PATH,
                "PGHOST": HOST,
                "PGPORT": str(self.port),
                "PGDATABASE": "postgres",
                "PGPASSWORD": self.password,
                **env,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def accepts(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    @contextmanager
    def running(self) -> Iterator[None]:
        command: tuple[str | Path, ...] = (
            *(self.bin / "postgres", "-D", self.data),
            *("-c", f"listen_addresses={HOST}", "-c", f"port={self.port}"),
            *("-c", f"unix_socket_directories={self.folder}"),
            *(part for option in self.options for part in ("-c", option)),
        )
        identity = {**self.account.identity, "cwd": "/"}
        with process(self.log, *command, **identity) as started:
            wait_until(lambda: started.poll() is not None or self.accepts(), within=60)
            assert started.poll() is None, self.log.read_text()
            yield
            # "Fast": clients are disconnected.
            started.send_signal(signal.SIGINT)
            started.wait(30)


@contextmanager
def redis(folder: Path, port: int, password: str) -> Iterator[None]:
    options = f"--port {port} --bind {HOST} --appendonly no --requirepass {password}".split()
    log = folder / "redis.log"
    with process(log, program("redis-server"), *options, "--save", "", cwd=folder):
        wait_until(lambda: "Ready to accept connections" in log.read_text(), within=20)
        yield


@dataclass(frozen=True)
class Certificate:
    chain: Path
    key: Path


def certify(folder: Path) -> Certificate:
    """Make a certificate for hits.example and for the loopback address."""
    made = Certificate(folder / "fullchain.pem", folder / "privkey.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=hits.example"),
            *("-addext", f"subjectAltName=DNS:hits.example,IP:{HOST}"),
            *("-keyout", made.key, "-out", made.chain),
        ],
        check=True,
        capture_output=True,
    )
    return made


def nginx_site(certificate: Certificate, http: int, https: int, web: tuple[int, int]) -> str:
    """Return deploy/nginx.conf with the changes that its head names."""
    text = (DEPLOY / "nginx.conf").read_text()
    for old, new in (
        ("listen 80;", f"listen {HOST}:{http};"),
        ("listen 443 ssl", f"listen {HOST}:{https} ssl"),
        ("    listen [::]:80;\n", ""),
        ("    listen [::]:443 ssl http2;\n", ""),
        ("/etc/ssl/hitstream/fullchain.pem", str(certificate.chain)),
        ("/etc/ssl/hitstream/privkey.pem", str(certificate.key)),
        ("/var/log/nginx/hitstream.log", "access.log"),
        ("127.0.0.1:8000", f"{HOST}:{web[0]}"),
        ("127.0.0.1:8001", f"{HOST}:{web[1]}"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, site: str, port: int) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    (folder / "site.conf").write_text(site)
    places = "".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/pid; error_log stderr warn; events {{}}\n"
        f"http {{ access_log off; {places} include {folder}/site.conf; }}\n"
    )
    command = (program("nginx"), "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf")
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr, checked.stderr
    with process(folder / "nginx.log", *command):
        wait_until(lambda: listens(port), within=10)
        yield


@contextmanager
def caddy(folder: Path, **environment: str) -> Iterator[None]:
    """Caddy with deploy/Caddyfile as it is; HITSTREAM_HOST names the port, too."""
    folder.mkdir(exist_ok=True)
    # Without an account, and without the port for redirects and the admin's port.
    config = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    (folder / "Caddyfile").write_text(config + (DEPLOY / "Caddyfile").read_text())
    command = (program("caddy"), "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile")
    env = {"PATH": PATH, "HOME": str(folder), **environment}
    with process(folder / "caddy.log", *command, env=env):
        wait_until(
            lambda: listens(int(environment["HITSTREAM_HOST"].rpartition(":")[2])), within=10
        )
        yield


def listens(port: int) -> bool:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        return not probe.connect_ex((HOST, port))
