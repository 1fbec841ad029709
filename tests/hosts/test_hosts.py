"""Real projects of others, each with the wheel in a virtual environment of its own and three lines
of Hitstream's: migrate, the first hit, its delivery, the pages of the console and of the admin."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Page, expect
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.hosts.host import COMMON, HOSTS, ROUTES, THREE_LINES, Host
from tests.support.browser import follow
from tests.support.form_client import FormClient
from tests.support.hits import basic, hit
from tests.support.ports import free_port
from tests.support.vendor import open_vendor, reply
from tests.versions import interpreters
from tests.wheel.conftest import build
from tests.wheel.stranger import ROOT, Stranger, environment, run

DATABASE = "hitstream_foreign"
#: Where it says that it listens, and how it is started.
SERVERS = {
    "gunicorn": ("Booting worker", ("--bind", "{address}", "{package}.wsgi")),
    "uvicorn": ("running on", ("--port", "{port}", "{package}.asgi:application")),
    "daphne": ("Listening on TCP", ("-p", "{port}", "{package}.asgi:application")),
}
CONSOLE = (
    *("", "live/", "refused/", "integrations/", "integrations/1/", "integrations/1/deliveries/"),
    *("deliveries/", "users/?id=u1", "search/?q=u1", "audit/", "analytics/", "alerts/"),
    *("self-test/", "setup/"),
)
MODELS = (
    *("token", "integration", "hit", "delivery", "deadletter", "attempt", "revision"),
    *("operation", "alertchannel", "alertrule", "fileimport"),
)
#: The pages of forms, and those that ask before they do harm.
FORMS = (
    *("token/add", "token/1/change", "token/1/rotate", "token/1/revoke", "token/1/delete"),
    *("integration/add", "integration/1/change", "integration/1/verify", "integration/1/drain"),
    *("integration/1/replay", "integration/1/delete", "integration/1/ledger"),
    *("alertchannel/add", "alertrule/add"),
)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


def interpreter(host: Host) -> str:
    if sys.version_info[:2] >= host.python:
        return sys.executable
    for version, path in interpreters():
        if tuple(int(part) for part in version.split(".")) >= host.python:
            return path
    pytest.skip(f"{host.name} needs Python {host.python[0]}.{host.python[1]}")


def start(host: Host, directory: Path, wheel: Path) -> Stranger:
    """Return the project, with the three lines in it."""
    venv = directory / "venv"
    run(interpreter(host), "-m", "venv", "--without-pip", venv)
    pip = (sys.executable, "-m", "pip", "--python", venv / "bin" / "python")
    needed = (f"{wheel}", "celery[redis]", "gunicorn", *host.requirements)
    run(*pip, "install", "--quiet", "--no-compile", *needed)
    run(*pip, "check")
    site = directory / "site"
    site.mkdir()
    stranger = Stranger(site, venv / "bin", {**environment(), **mine()})
    program, *arguments = host.start
    run(venv / "bin" / ("django-admin" if program == "django" else program), *arguments, cwd=site)
    for path, text in host.files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    for name, added in ((host.module, THREE_LINES + COMMON + host.settings),
                        ("host/urls.py", host.urls + ROUTES)):  # fmt: skip
        with (site / name).open("a") as file:
            file.write(("from django.urls import path\n" if "urls" in name else "") + added)
    if not host.admin or host.refused == "hitstream.E013":
        urls = site / "host" / "urls.py"
        kept = urls.read_text().replace("from django.contrib import admin", "")
        urls.write_text(kept.replace("path('admin/', admin.site.urls),", ""))
    return stranger


def mine() -> dict[str, str]:
    """The address of the database: with its owner's rights, and no role of another test."""
    return {
        "PGUSER": str(conninfo_to_dict(os.environ["DATABASE_URL"])["user"]),
        "HOST_DATABASE": DATABASE,
        "DJANGO_SUPERUSER_EMAIL": "r@a.bc",
    }


@contextmanager
def database() -> Iterator[None]:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as ours:
        ours.execute(f"CREATE DATABASE {DATABASE}")
        with psycopg.connect(make_conninfo(os.environ["DATABASE_URL"], dbname=DATABASE)) as theirs:
            theirs.execute("CREATE SCHEMA hits")
        try:
            yield
        finally:
            ours.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@contextmanager
def served(host: Host, stranger: Stranger, log: Path) -> Iterator[str]:
    port = free_port()
    sign, options = SERVERS[host.server]
    names = {"address": f"127.0.0.1:{port}", "port": port, "package": "host"}
    arguments = [option.format(**names) for option in options]
    with stranger.running(log, sign, host.server, *arguments):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.stack
@pytest.mark.browser
@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_a_project_takes_three_lines(host: Host, wheel: Path, tmp_path: Path, page: Page) -> None:
    with database():
        stranger = start(host, tmp_path, wheel)
        if host.refused:
            with pytest.raises(AssertionError, match=rf"{host.refused}\)") as refusal:
                stranger.manage("check")
            assert "Traceback" not in str(refusal.value)
            return
        for command in host.migrate:
            stranger.manage(*command)
        assert "hitstream." not in stranger.manage("check")
        assert "No changes" in stranger.manage("makemigrations", "--check", "hitstream")
        issued = json.loads(stranger.manage("issue_token", "shop", "--json"))
        with served(host, stranger, tmp_path / "log") as site:
            deliver(stranger, FormClient(site), issued["api_token"])
            if host.admin:
                own_user = host.name == "own-user"
                name = "r@a.bc" if own_user else "root"
                who = () if own_user else ("--username", name)
                stranger.manage("createsuperuser", "--noinput", "--email", "r@a.bc", *who)
                see(host, page, site, name)
            else:
                assert FormClient(site).open("/hits/console/").status == 404
    shutil.rmtree(tmp_path / "venv")


def deliver(stranger: Stranger, client: FormClient, api_token: str) -> None:
    """A hit is answered 204, and reaches the vendor."""
    with open_vendor(reply(200)) as vendor:
        config = json.dumps({"url": vendor.url})
        stranger.manage("add_integration", "shop", "webhook", "--config", config)
        headers = {"Content-Type": "application/json", "Authorization": basic(api_token)}
        answer = client.open("/hits/track", json.dumps(hit()).encode(), headers)
        assert answer.status == 204, answer.text
        stranger.manage("sweep", "--deliver")
        assert "Registered" in json.dumps(vendor.received[0].json["data"])


def see(host: Host, page: Page, site: str, name: str) -> None:
    """An operator signs in by the console, and opens its pages and those of the admin."""
    page.goto(f"{site}/hits/console/")
    assert host.admin in page.url
    page.fill("[name=username]", name)
    page.fill("[name=password]", "secret")
    follow(page, "[type=submit]")
    assert page.url == f"{site}/hits/console/"
    paths = [f"/hits/console/{path}" for path in CONSOLE]
    paths += [f"{host.admin}hitstream/{model}/" for model in MODELS]
    paths += [f"{host.admin}hitstream/{path}/" for path in FORMS]
    paths += [f"{host.admin}hitstream/integration/add/?destination=webhook"]
    for path in paths:
        answer = page.goto(f"{site}{path}")
        assert answer is not None
        assert answer.status == 200, (path, page.content())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        shoot(page, f"{host.name}{path.replace('/', '-').rstrip('-')}")
    # The palette finds the integration.
    page.goto(f"{site}/hits/console/")
    page.keyboard.press("Control+k")
    page.keyboard.type("webhook")
    expect(page.get_by_role("option", name="webhook").first).to_be_visible()
    # A link of the console leads into the site that has the forms.
    page.goto(f"{site}/hits/console/integrations/")
    follow(page, "text=Add integration")
    assert page.url.startswith(f"{site}{host.admin}hitstream/integration/add/")


def shoot(page: Page, name: str) -> None:
    """A screenshot, light and dark, where HITSTREAM_SCREENSHOTS names a folder."""
    if folder := os.environ.get("HITSTREAM_SCREENSHOTS"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=Path(folder) / f"{name}-{scheme}.png", full_page=True)
