"""The commands of docs/how-to/back-up.md: a dump in another cluster, and a point in time."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import requests

from tests.deploy.debian import Postgres
from tests.deploy.site import Site, give_passwords, make_secrets
from tests.support.ports import HOST, free_port
from tests.support.vendor import open_vendor, reply
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def archive(folder: Path) -> Path:
    """The folder of archived WAL."""
    made = folder / "archive"
    made.mkdir()
    made.chmod(0o777)
    return made


@pytest.fixture(scope="module")
def archived(folder: Path, archive: Path) -> Iterator[Postgres]:
    """A cluster that archives its WAL."""
    options = (
        "archive_mode=on",
        f"archive_command=test ! -f {archive}/%f && cp %p {archive}/%f",
        "archive_timeout=60",
    )
    server = Postgres(folder / "archived", options)
    server.create()
    with server.running():
        yield server


@pytest.fixture(scope="module")
def source(folder: Path, command: Path, archived: Postgres) -> Site:
    """A site on it; its broker is away, which loses nothing."""
    here = folder / "source"
    here.mkdir()
    secrets = make_secrets(here, archived, free_port())
    give_passwords(archived, secrets, here)
    made = Site(here, command, secrets, f"redis://{HOST}:1/0")
    made.run("migrate", "--verbosity", "0", owner=True)
    return made


def post(port: int, token: str, *hit_ids: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        for hit_id in hit_ids:
            hit = {"hitId": hit_id, "event": {"name": "Registered", "user": {"userId": "u1"}}}
            answer = session.post(f"http://{HOST}:{port}/track", json=hit, auth=(token, ""))
            assert answer.status_code == 204


def stored(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT payload ->> 'hitId' FROM hitstream_hit").fetchall()
        return {name for (name,) in rows}


@contextmanager
def sending(source: Site, name: str) -> Iterator[tuple[int, str]]:
    """The port of a web server, and a token with an integration."""
    port = free_port()
    with open_vendor(reply()) as vendor, source.web(port):
        yield port, source.issue(name, vendor.url)


def moved(source: Site, to: Postgres, folder: Path) -> Site:
    """The same site on another cluster."""
    secrets = folder / "secrets"
    secrets.mkdir()
    for path in source.secrets.iterdir():
        (secrets / path.name).write_text(path.read_text())
    for name in ("database_url", "owner_database_url"):
        head, _, tail = (secrets / name).read_text().rpartition("@")
        (secrets / name).write_text(f"{head}@{to.address}/{tail.partition('/')[2]}")
    return replace(source, folder=folder, secrets=secrets)


def test_a_dump_is_restored_into_another_cluster(
    source: Site, archived: Postgres, folder: Path
) -> None:
    with sending(source, "dumped") as (port, token):
        post(port, token, *(f"d{number}" for number in range(50)))
    here = folder / "restored"
    here.mkdir()
    here.chmod(0o777)
    dump = here / "hitstream.dump"
    url = archived.url("hitstream")
    archived.run(archived.bin / "pg_dump", "--format=custom", f"--file={dump}", url)
    other = Postgres(here / "postgres")
    other.create()
    with other.running():
        site = moved(source, other, here)
        give_passwords(other, site.secrets, here)
        other.run(
            *(other.bin / "pg_restore", "--exit-on-error", "--jobs=2"),
            *(f"--dbname={other.url('hitstream')}", dump),
        )
        assert stored(other.url("hitstream")) >= {f"d{number}" for number in range(50)}
        assert "hitstream.E" not in site.run("check")  # its broker is away
        assert "Everything adds up" in site.run("manage", "reconcile")
        site.run("manage", "sweep", owner=True)
        # It goes on: the role that reads and writes rows still may.
        port = free_port()
        with site.web(port):
            post(port, token, "after")
        assert "after" in stored(other.url("hitstream"))
        # Without the keys the credentials cannot be read, and the check says so.
        key = base64.urlsafe_b64encode(os.urandom(32)).decode()
        (site.secrets / "hitstream_secret_keys").write_text(key)
        with pytest.raises(AssertionError, match=r"hitstream\.E005"):
            site.run("check")


def test_the_database_goes_back_to_a_point_in_time(
    source: Site, archived: Postgres, archive: Path, folder: Path
) -> None:
    here = folder / "recovered"
    other = Postgres(here)
    other.account.own(here)
    with sending(source, "recovered") as (port, token):
        archived.run(
            *(archived.bin / "pg_basebackup", "--wal-method=stream", "--checkpoint=fast"),
            *(f"--pgdata={other.data}", f"--dbname={archived.url()}"),
        )
        post(port, token, "before-1", "before-2")
        with psycopg.connect(archived.url("hitstream"), autocommit=True) as connection:
            (at,) = connection.execute("SELECT clock_timestamp()").fetchone() or (None,)
            assert isinstance(at, datetime)
            post(port, token, "later")
            connection.execute("DELETE FROM hitstream_integration")
            ((segment,),) = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchall()
    wait_until((archive / segment).exists, within=30)
    other.options = (
        f"restore_command=cp {archive}/%f %p",
        f"recovery_target_time={at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f+00}",
        "recovery_target_action=promote",
    )
    other.password = archived.password
    (other.data / "recovery.signal").touch()
    os.chown(other.data / "recovery.signal", other.account.uid or -1, other.account.gid or -1)
    moved_to = folder / "recovered-site"
    moved_to.mkdir()
    with other.running():
        url = other.url("hitstream")

        def writable() -> bool:
            with psycopg.connect(url) as connection:
                return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)

        wait_until(writable, within=60)
        found = stored(url)
        assert {"before-1", "before-2"} <= found
        assert "later" not in found
        site = moved(source, other, moved_to)
        assert "hitstream.E" not in site.run("check")  # its broker is away
        assert "Everything adds up" in site.run("manage", "reconcile")
