"""A deployment by the documents: the command of a wheel, secrets in files, the documented lines."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.deploy.debian import DEPLOY, PATH, ROOT, Postgres, process
from tests.support.ports import HOST, free_port
from tests.support.waiting import wait_until

#: What the row of the table in the guide begins with, and the command in it.
ROW = r"^\| {} \| `(hitstream [^`]+)`"


def documented(name: str) -> list[str]:
    """Return the arguments of the command that docs/how-to/deploy.md names for this process."""
    guide = (ROOT / "docs/how-to/deploy.md").read_text()
    found = re.search(ROW.format(name), guide, re.MULTILINE)
    assert found, name
    return shlex.split(found[1])[1:]


def install_server(folder: Path, wheel: Path) -> Path:
    """Install a wheel with the extra `server` into an empty environment, as an operator would.
    Returns the command `hitstream`."""
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run(
        [
            venv / "bin/pip",
            "install",
            "--quiet",
            "--no-compile",
            f"hitstream[server] @ {wheel.as_uri()}",
        ],
        check=True,
        cwd=folder,
    )
    return venv / "bin" / "hitstream"


@dataclass
class Site:
    """Processes of one command on one database and broker."""

    folder: Path
    command: Path
    secrets: Path
    broker_url: str
    extra: dict[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")

    def environment(self, *, owner: bool = False) -> dict[str, str]:
        url = "owner_database_url" if owner else "database_url"
        return {
            "PATH": PATH,
            "LANG": "C.UTF-8",
            "DATABASE_URL_FILE": str(self.secrets / url),
            "BROKER_URL": self.broker_url,
            "DJANGO_SECRET_KEY_FILE": str(self.secrets / "django_secret_key"),
            "HITSTREAM_SECRET_KEYS_FILE": str(self.secrets / "hitstream_secret_keys"),
            "HITSTREAM_METRICS_TOKEN_FILE": str(self.secrets / "metrics_token"),
            "ALLOWED_HOSTS": f"hits.example,{HOST}",
            "CSRF_TRUSTED_ORIGINS": "https://hits.example",
            "HITSTREAM_PUBLIC_URL": "https://hits.example",
            "BEHIND_TLS_PROXY": "1",
            "HITSTREAM_TRUSTED_PROXIES": HOST,
            # The destination of the tests is on this machine, which is busy.
            "HITSTREAM_ALLOW_PRIVATE_DESTINATIONS": "1",
            "HITSTREAM_WORKERS": "1",
            **self.extra,
        }

    def run(self, *arguments: str, owner: bool = False, **env: str) -> str:
        """Run the command to its end. Returns what it prints."""
        done = subprocess.run(
            [self.command, *arguments],
            cwd=self.cwd,
            env={**self.environment(owner=owner), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self, name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        log = self.folder / f"{name}.log"
        with process(
            log, self.command, *arguments, cwd=self.cwd, env=self.environment()
        ) as started:
            yield started

    @contextmanager
    def web(self, port: int) -> Iterator[subprocess.Popen[bytes]]:
        """The web server by its documented line, but for the port, once it is ready."""
        line = documented("web")
        line[line.index("--port") + 1] = str(port)
        with self.running(f"web-{port}", *line) as started:
            wait_until(lambda: started.poll() is not None or is_ready(port), within=60)
            assert started.poll() is None
            yield started

    @contextmanager
    def everything(self, *ports: int) -> Iterator[None]:
        """Web servers on these ports, a worker and beat."""
        beat = documented("beat")
        with ExitStack() as stack:
            for port in ports:
                stack.enter_context(self.web(port))
            stack.enter_context(self.running("worker", *documented("worker")))
            stack.enter_context(self.running("beat", *beat))
            yield

    def issue(self, name: str, url: str) -> str:
        """Return the API token of a new token whose hits go to this webhook."""
        issued = json.loads(self.run("manage", "issue_token", name, "--json"))
        config = json.dumps({"url": url})
        self.run("manage", "add_integration", name, "webhook", "--config", config)
        return str(issued["api_token"])


def is_ready(port: int) -> bool:
    session = requests.Session()
    session.trust_env = False
    try:
        return session.get(f"http://{HOST}:{port}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def make_secrets(folder: Path, postgres: Postgres, valkey_port: int) -> Path:
    """Make the secrets as the guide does."""
    secrets = folder / "secrets"
    subprocess.run(
        ["sh", DEPLOY / "secrets.sh", secrets],
        env={
            **os.environ,
            "POSTGRES": postgres.address,
            "VALKEY": f"{HOST}:{valkey_port}",
        },
        check=True,
    )
    return secrets


def give_passwords(postgres: Postgres, secrets: Path, folder: Path) -> None:
    """Run deploy/postgres: the roles, then their passwords from files."""
    postgres.psql(DEPLOY / "postgres/roles.sql")
    text = (DEPLOY / "postgres/passwords.sql").read_text()
    script = folder / "passwords.sql"
    script.write_text(text.replace("/run/secrets", str(secrets)))
    postgres.psql(script)


class Browser(requests.Session):
    """Somebody who reaches hits.example by the proxy on this machine."""

    def __init__(self, port: int, certificate: Path) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = str(certificate)
        self.site = f"https://{HOST}:{port}"
        self.headers.update({"Host": "hits.example", "Referer": "https://hits.example/"})

    def open(self, path: str) -> requests.Response:
        return self.get(f"{self.site}{path}", timeout=20)

    def track(self, token: str, hit_id: str) -> requests.Response:
        hit = {"hitId": hit_id, "event": {"name": "Registered", "user": {"userId": "u1"}}}
        return self.post(f"{self.site}/track", json=hit, auth=(token, ""), timeout=20)

    def sign_in(self, name: str, password: str) -> requests.Response:
        path = "/admin/login/?next=/console/"
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.open(path).text)
        assert found
        form = {"username": name, "password": password, "csrfmiddlewaretoken": found[1]}
        return self.post(f"{self.site}{path}", form, timeout=20)


def two_ports() -> tuple[int, int]:
    return free_port(), free_port()
