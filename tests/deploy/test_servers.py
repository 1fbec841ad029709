"""The command on Debian's servers: the first hit, its delivery and the console, behind nginx."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.deploy.debian import Certificate, Postgres, nginx, nginx_site
from tests.deploy.site import Browser, Site, two_ports
from tests.stack.rabbitmq import rabbitmq
from tests.support.vendor import Vendor, open_vendor, reply
from tests.support.waiting import wait_until


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with open_vendor(reply()) as opened:
        yield opened


@contextmanager
def behind_nginx(site: Site, certificate: Certificate) -> Iterator[Browser]:
    """Two web servers, a worker and beat, and nginx with TLS before them."""
    web, (http, https) = two_ports(), two_ports()
    text = nginx_site(certificate, http, https, web)
    with site.everything(*web), nginx(site.folder / "nginx", text, https):
        yield Browser(https, certificate.chain)


@pytest.mark.parametrize("broker", ["rabbitmq", "redis"])
def test_the_first_hit_is_delivered_and_shown(
    site: Site,
    certificate: Certificate,
    postgres: Postgres,
    vendor: Vendor,
    broker: str,
    tmp_path: Path,
) -> None:
    before = len(postgres.log.read_text())
    with tried_broker(site, broker, tmp_path) as on:
        token = on.issue(broker, vendor.url)
        with behind_nginx(on, certificate) as browser:
            answers = [browser.track(token, f"{broker}-{number}") for number in range(20)]
            assert [answer.status_code for answer in answers] == [204] * 20
            wait_until(lambda: len(vendor.received) >= 20, within=20)
            # Worker and beat have announced themselves.
            wait_until(lambda: browser.open("/readyz").json()["status"] == "ok", within=40)
            console = browser.sign_in("root", "open sesame")
            assert console.status_code == 200
            assert console.url.endswith("/console/")
            assert broker in console.text
            assert "max-age=31536000" in console.headers["Strict-Transport-Security"]
            # The client is known by its own address, not by that of nginx.
            trace = browser.open("/console/self-test/")
            assert trace.status_code == 200
            assert "https" in trace.text
            large = {"event": {"name": "x" * 100_000}}
            refused = browser.post(f"{browser.site}/track", json=large, auth=(token, ""))
            assert (refused.status_code, refused.json()["code"]) == (400, "body_too_large")
        logged = (on.folder / "nginx" / "access.log").read_text()
        assert '"POST /track" 204' in logged
        assert token not in logged
        checked = on.run("check")
        assert "no issues" in checked
    assert {received.json["data"]["hitId"] for received in vendor.received} == {
        f"{broker}-{number}" for number in range(20)
    }
    wrong = re.findall(r"^.*(?:ERROR|FATAL).*$", postgres.log.read_text()[before:], re.MULTILINE)
    assert wrong == []


@contextmanager
def tried_broker(site: Site, broker: str, folder: Path) -> Iterator[Site]:
    if broker == "redis":
        yield site
        return
    with rabbitmq(folder) as server:
        yield replace(site, broker_url=server.url)


def test_the_role_of_the_processes_only_reads_and_writes_rows(site: Site) -> None:
    url = (site.secrets / "database_url").read_text()
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (
            "CREATE TABLE mine ()",
            "DROP TABLE hitstream_hit",
            "ALTER TABLE hitstream_hit ADD mine int",
            "CREATE ROLE mine",
            "TRUNCATE hitstream_hit",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        assert connection.execute("SHOW data_directory").fetchone()


def test_the_owner_makes_the_days_to_come_and_a_worker_leaves_them_to_him(
    site: Site, postgres: Postgres
) -> None:
    with psycopg.connect(postgres.url("hitstream"), autocommit=True) as connection:
        (last,) = connection.execute(
            "SELECT max(relname) FROM pg_class WHERE relname LIKE 'hitstream\\_hit\\_2%'"
            " AND relkind = 'r'"
        ).fetchone() or ("",)
        connection.execute(f"DROP TABLE {last}")
    code = "from tracking.tasks import maintain; maintain()"
    # It raises nothing, and prunes what it may.
    site.run("manage", "shell", "--verbosity", "0", "-c", code)
    assert "1 partitions created" in site.run("manage", "sweep", owner=True)
