"""What the deployment adds to every page: a policy, and an answer while the database is away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory

from project.embedded.paths import read_secret
from project.embedded.secret import make_secrets
from project.run import Address
from tracking.server.middleware import handle_error

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db(transaction=True)
def test_every_page_of_the_admin_has_a_policy() -> None:
    client = Client()
    assert "script-src 'self'" in client.get("/admin/login/").headers["Content-Security-Policy"]
    client.force_login(User.objects.create_superuser("admin"))
    for page in (
        "",
        "auth/user/",
        "hitstream/token/",
        "hitstream/token/add/",
        "hitstream/alertrule/",
    ):
        policy = client.get(f"/admin/{page}").headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", ["/console/", "/admin/hitstream/token/", "/admin/"])
def test_without_a_connection_a_page_says_so(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("admin"))
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {})
    answer = client.get(page)
    monkeypatch.undo()
    assert answer.status_code == 503
    assert b"The database is busy" in answer.content
    assert answer.headers["Retry-After"]


@pytest.mark.django_db(transaction=True)
def test_a_page_that_gets_no_connection_from_the_pool_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("admin"))
    database: Any = connection
    database.close()
    database.close_pool()
    pool = {"min_size": 0, "max_size": 1, "timeout": 0.2}
    options = {**database.settings_dict["OPTIONS"], "pool": pool}
    monkeypatch.setitem(database.settings_dict, "OPTIONS", options)
    try:
        database.pool.open()
        taken = database.pool.getconn()
        answers = [client.get(page) for page in ("/console/", "/admin/hitstream/token/")]
        database.pool.putconn(taken)
        assert client.get("/console/").status_code == 200
    finally:
        database.close()
        database.close_pool()
    assert [answer.status_code for answer in answers] == [503, 503]


def test_another_error_stays_an_error() -> None:
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        assert handle_error(RequestFactory().get("/")).status_code == 500


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("hits.example", False),
    ],
)
def test_private_destinations_are_allowed_where_only_this_machine_reaches_the_server(
    host: str, is_loopback: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Address(host, 8000).is_loopback is is_loopback
    monkeypatch.setenv("HITSTREAM_VAR", str(tmp_path))
    for before in (True, False):
        make_secrets(tmp_path, is_loopback=before)
        make_secrets(tmp_path, is_loopback=is_loopback)
        assert read_secret("allow_private_destinations") == ("1" if is_loopback else "0")
    assert setting(tmp_path) is is_loopback
    assert setting(tmp_path, HITSTREAM_ALLOW_PRIVATE_DESTINATIONS="1") is True


def manage(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**kept, "DJANGO_SETTINGS_MODULE": "project.settings", **environment},
        capture_output=True,
        text=True,
    )


def setting(var: Path, **environment: str) -> Any:
    code = "from project.settings import HITSTREAM; print(HITSTREAM['ALLOW_PRIVATE_DESTINATIONS'])"
    return manage("-c", code, HITSTREAM_VAR=str(var), **environment).stdout.strip() == "True"


def test_the_settings_of_the_guide_pass_the_deployment_checks(tmp_path: Path) -> None:
    guide = (ROOT / "docs/how-to/deploy.md").read_text()
    lines = guide.split("```sh\n")[1].split("```")[0].splitlines()
    pairs = dict(line.partition("#")[0].strip().split("=", 1) for line in lines)
    pairs["DJANGO_SECRET_KEY"] = "".join(chr(33 + n) for n in range(90))
    pairs["HITSTREAM_SECRET_KEYS"] = Fernet.generate_key().decode()
    run = manage("manage.py", "check", "--deploy", HITSTREAM_VAR=str(tmp_path), **pairs)
    assert "no issues" in run.stdout + run.stderr, run.stderr


@pytest.mark.django_db(transaction=True)
def test_behind_tls_only_pages_are_redirected(settings: Any) -> None:
    exempt = r"^(?!admin/|console/|$)"
    assert exempt in (ROOT / "tracking/server/settings.py").read_text()
    settings.SECURE_SSL_REDIRECT, settings.SECURE_REDIRECT_EXEMPT = True, [exempt]
    client = Client()
    for page in ("/", "/admin/login/", "/console/"):
        assert client.get(page).headers["Location"].startswith("https://")
    for page in ("/healthz", "/readyz", "/t.js", "/api/schema", "/track"):
        assert client.get(page).status_code not in {301, 302}
