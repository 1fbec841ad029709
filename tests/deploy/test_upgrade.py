"""From the last release to the next one, under traffic, one process after the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.deploy.debian import Certificate, Postgres, nginx, nginx_site, redis
from tests.deploy.releases import last_release, next_release
from tests.deploy.site import (
    Site,
    documented,
    give_passwords,
    install_server,
    make_secrets,
    two_ports,
)
from tests.deploy.traffic import traffic
from tests.support.ports import free_port
from tests.support.vendor import open_vendor, reply
from tests.support.waiting import wait_until

#: Hits that are stored before.
BEFORE = 500


@pytest.fixture
def sites(folder: Path) -> Iterator[tuple[Site, Site, Postgres]]:
    """The last release and the next one, on one new Postgres."""
    here = folder / "upgrade"
    here.mkdir(mode=0o755)
    valkey = free_port()
    with ThreadPoolExecutor() as pool:
        wheels = [pool.submit(last_release, here), pool.submit(next_release, here)]
        places = [here / "last-installed", here / "next-installed"]
        for place in places:
            place.mkdir()
        commands = [
            pool.submit(install_server, place, wheel.result())
            for place, wheel in zip(places, wheels, strict=True)
        ]
        postgres = Postgres(here / "postgres")
        postgres.create()
        with postgres.running():
            secrets = make_secrets(here, postgres, valkey)
            give_passwords(postgres, secrets, here)
            password = (secrets / "valkey_password").read_text().strip()
            with redis(here, valkey, password):
                broker = (secrets / "broker_url").read_text()
                old, new = (
                    Site(place, command.result(), secrets, broker)
                    for place, command in zip(places, commands, strict=True)
                )
                yield old, new, postgres


def test_an_upgrade_under_traffic_loses_no_hit(
    sites: tuple[Site, Site, Postgres], certificate: Certificate
) -> None:
    old, new, postgres = sites
    old.run("migrate", "--verbosity", "0", owner=True)
    ports, (http, https) = two_ports(), two_ports()
    text = nginx_site(certificate, http, https, ports)
    with open_vendor(reply()) as vendor, ExitStack() as running:
        token = old.issue("shop", vendor.url)
        olds = [ExitStack() for _ in range(4)]
        for place, port in zip(olds, ports, strict=False):
            place.enter_context(old.web(port))
        for place, name in zip(olds[2:], ("worker", "beat"), strict=True):
            place.enter_context(old.running(name, *documented(name)))
        for place in olds:
            running.push(place)
        running.enter_context(nginx(old.folder / "nginx", text, https))
        with traffic(https, certificate.chain, token) as sent:
            wait_until(lambda: len(sent.accepted) >= BEFORE, within=90)
            assert set(sent.answers) == {"204"}
            new.run("migrate", "--verbosity", "0", owner=True)
            for place, port in zip(olds, ports, strict=False):
                place.close()
                running.enter_context(new.web(port))
            for place, name in zip(olds[2:], ("worker", "beat"), strict=True):
                place.close()
                running.enter_context(new.running(name, *documented(name)))
            settled = len(sent.accepted)
            wait_until(lambda: len(sent.accepted) >= settled + 100, within=60)
        print(f"{len(sent.accepted)} hits: {dict(sent.answers)}")  # noqa: T201
        assert set(sent.answers) <= {"204", "503"}, sent.answers

        def delivered() -> set[str]:
            return {received.json["data"]["hitId"] for received in list(vendor.received)}

        wait_until(lambda: delivered() >= sent.accepted, within=60)
    assert "Everything adds up" in new.run("manage", "reconcile")
    assert "no issues" in new.run("check")
    assert new.run("manage", "rollup", "--check", owner=True)
    with psycopg.connect(postgres.url("hitstream")) as connection:
        assert connection.execute("SELECT DISTINCT remark FROM hitstream_token").fetchall() == [
            ("",)
        ]
