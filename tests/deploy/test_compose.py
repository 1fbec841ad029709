"""What compose.yaml runs, by its own commands, on Debian's servers behind Caddy."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.deploy.compose import Compose
from tests.deploy.debian import DEPLOY, Postgres, caddy, process
from tests.deploy.site import give_passwords, is_ready, make_secrets
from tests.support.ports import HOST, free_port
from tests.support.vendor import open_vendor, reply
from tests.support.waiting import wait_until


@pytest.fixture
def own_postgres(folder: Path) -> Iterator[Postgres]:
    """A Postgres with the settings of the service."""
    options = Compose({}, {}).services["postgres"]["command"]
    server = Postgres(folder / "compose-postgres", tuple(options[2::2]))
    server.create()
    with server.running():
        yield server


def test_every_file_and_secret_that_it_names_exists(tmp_path: Path) -> None:
    read = Compose({}, {}).read()
    made = make_secrets(tmp_path, Postgres(tmp_path), 1)
    assert {path.name for path in made.iterdir()} == set(read["secrets"])
    for name, secret in read["secrets"].items():
        assert secret == {"file": f"secrets/{name}"}
    for service in read["services"].values():
        for secret in service.get("secrets", []):
            assert secret in read["secrets"]
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert (DEPLOY / source).is_file() if source[0] == "." else source in read["volumes"]
        for other in service.get("depends_on", {}):
            assert other in read["services"]


def test_secrets_are_made_once(tmp_path: Path) -> None:
    made = make_secrets(tmp_path, Postgres(tmp_path), 1)
    before = {path.name: path.read_text() for path in made.iterdir()}
    make_secrets(tmp_path, Postgres(tmp_path), 2)
    assert {path.name: path.read_text() for path in made.iterdir()} == before
    assert made.stat().st_mode & 0o777 == 0o700


def test_the_network_of_the_proxy_is_trusted() -> None:
    read = Compose({}, {}).read()
    (config,) = read["networks"]["default"]["ipam"]["config"]
    assert read["services"]["web"]["environment"]["HITSTREAM_TRUSTED_PROXIES"] == config["subnet"]


def test_its_processes_take_a_hit_behind_caddy_and_deliver_it(
    folder: Path, command: Path, own_postgres: Postgres, tmp_path: Path
) -> None:
    valkey, web, https = free_port(), free_port(), free_port()
    secrets = make_secrets(tmp_path, own_postgres, valkey)
    give_passwords(own_postgres, secrets, tmp_path)
    compose = Compose(
        {"HITSTREAM_HOST": "hits.example"},
        {
            "/run/secrets": str(secrets),
            "valkey-server": f"redis-server --port {valkey} --bind {HOST}",
            "0.0.0.0": HOST,
            "8000": str(web),
            "172.30.77.0/24": HOST,
            "web:": f"{HOST}:",
        },
    )

    def run(service: str, *arguments: str) -> str:
        done = subprocess.run(
            arguments or compose.command(service),
            env=environment(service),
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def environment(service: str) -> dict[str, str]:
        # The destination of the test is on this machine.
        more = {"HITSTREAM_ALLOW_PRIVATE_DESTINATIONS": "1", "HITSTREAM_WORKERS": "1"}
        return compose.environment(service, command) | more

    with ExitStack() as stack:

        def start(service: str) -> None:
            options = {"env": environment(service), "cwd": "/"}
            started = compose.command(service)
            stack.enter_context(process(tmp_path / f"{service}.log", *started, **options))

        start("valkey")
        run("migrate")
        for service in ("web", "worker", "beat", "sweep"):
            start(service)
        wait_until(lambda: is_ready(web), within=60)
        healthy = compose.services["web"]["healthcheck"]["test"][1:]
        run("web", *map(compose.here, healthy))
        sweep = tmp_path / "sweep.log"
        wait_until(lambda: "partitions created" in sweep.read_text(), within=30)
        proxy = {
            **{name: compose.here(str(value)) for name, value in proxied(compose).items()},
            "HITSTREAM_HOST": f"https://hits.example:{https}",
            "HITSTREAM_TLS": "tls internal",
        }
        stack.enter_context(caddy(tmp_path / "caddy", **proxy))
        vendor = stack.enter_context(open_vendor(reply()))
        issued = run("web", "hitstream", "manage", "issue_token", "shop", "--json")
        config = json.dumps({"url": vendor.url})
        add = ("hitstream", "manage", "add_integration", "shop", "webhook", "--config", config)
        run("web", *add)
        root = tmp_path / "caddy/.local/share/caddy/pki/authorities/local/root.crt"
        wait_until(root.exists, within=20)
        answer = by_curl(https, root, json.loads(issued)["api_token"])
        assert answer == "204"
        wait_until(lambda: vendor.received, within=20)
        metrics = (secrets / "metrics_token").read_text().strip()
        assert "hitstream_hits_total" in by_curl(https, root, bearer=metrics)
    # Each line of the log is an object, but for Celery's farewell.
    logged = (tmp_path / "worker.log").read_text().splitlines()
    lines = [line for line in logged if line and not line.startswith("worker: ")]
    assert lines
    assert all(json.loads(line)["message"] for line in lines)


def proxied(compose: Compose) -> dict[str, str]:
    of: dict[str, str] = compose.services["caddy"]["environment"]
    return of


def by_curl(port: int, root: Path, token: str = "", bearer: str = "") -> str:
    """POST a hit, or read the metrics, under the name that the certificate has."""
    command: list[str | Path] = [
        *("curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", root),
        *("--resolve", f"hits.example:{port}:{HOST}"),
    ]
    if token:
        hit = json.dumps({"hitId": "c1", "event": {"name": "Registered", "user": {"userId": "u"}}})
        command += ["--user", f"{token}:", "--json", hit, "--output", "/dev/null"]
        command += ["--write-out", "%{http_code}", f"https://hits.example:{port}/track"]
    else:
        command += ["--header", f"Authorization: Bearer {bearer}"]
        command += [f"https://hits.example:{port}/metrics"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_caddyfile_turns_a_web_server_that_is_away_into_a_503(tmp_path: Path) -> None:
    https, nobody = free_port(), free_port()
    with caddy(
        tmp_path / "caddy",
        HITSTREAM_HOST=f"https://hits.example:{https}",
        HITSTREAM_UPSTREAMS=f"{HOST}:{nobody}",
        HITSTREAM_TLS="tls internal",
    ):
        command = (
            *("curl", "--silent", "--insecure", "--include", "--noproxy", "*"),
            *("--resolve", f"hits.example:{https}:{HOST}", f"https://hits.example:{https}/track"),
        )
        answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    head, _, body = answer.replace("\r", "").partition("\n\n")
    assert head.splitlines()[0].split()[1] == "503"
    assert "retry-after: 1" in head.lower()
    assert json.loads(body) == {"error": "unavailable"}
