"""A streaming replica of two real clusters: pages read it while it follows, and only then."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from tests.support.cluster import MigratedPostgres
from tests.support.form_client import FormClient
from tests.support.stack import Stack, running
from tests.support.waiting import wait_until

#: Seconds that the replica may lag.
LAG = 6


class Standby(EmbeddedPostgres):
    """A replica of another embedded Postgres."""

    def __init__(self, directory: Path, primary: EmbeddedPostgres) -> None:
        super().__init__(directory)
        self._primary = primary

    def create_cluster(self, draft: Path) -> None:
        # A stopped cluster, copied, is a base backup.
        subprocess.run(["cp", "-a", f"{self._primary.data}/.", draft], check=True)
        (draft / "standby.signal").touch()
        shutil.copystat(draft / "PG_VERSION", draft / "standby.signal")
        stat = (draft / "PG_VERSION").stat()
        (draft / "standby.signal").chmod(0o600)
        shutil.chown(draft / "standby.signal", stat.st_uid, stat.st_gid)
        info = f"host={self._primary.sockets} user=hitstream"
        with (draft / "postgresql.auto.conf").open("a") as file:
            file.write(f"primary_conninfo = '{info}'\n")


@dataclass
class Site:
    """A server with a primary and a replica, and somebody who is signed in."""

    stack: Stack
    standby: Standby
    client: FormClient

    def is_shown(self, name: str) -> bool:
        """Whether the home page, which answers, shows the token of this name."""
        page = self.client.open("/console/")
        assert page.status == 200, page.text
        assert "Sign in |" not in page.text
        return name in page.text

    def is_read_from_replica(self) -> bool:
        """Whether a page reads the table of tokens there."""
        before = self.scans()
        assert self.client.open("/console/").status == 200
        # The figures are written when the session is idle.
        ends = time.monotonic() + 2
        while time.monotonic() < ends:
            if self.scans() > before:
                return True
            time.sleep(0.1)
        return False

    def scans(self) -> int:
        query = (
            "SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables"
            " WHERE relname = 'hitstream_token'"
        )
        with psycopg.connect(self.standby.url, autocommit=True) as own:
            ((count,),) = own.execute(query).fetchall()
        return int(count)

    def replay(self, how: str) -> None:
        """`pause` or `resume` what the standby replays."""
        with psycopg.connect(self.standby.url, autocommit=True) as own:
            own.execute(f"SELECT pg_wal_replay_{how}()")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="hitstream-replica-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for each in ("primary", "standby"):
            (folder / each).mkdir(mode=0o755)
        primary = MigratedPostgres(folder / "primary")
        with primary:
            pass
        standby = Standby(folder / "standby", primary)
        standby.prepare()
        broker = EmbeddedValkey(folder)
        settings = {
            "DJANGO_SETTINGS_MODULE": "tests.stack.settings",
            "DATABASE_REPLICA_URL": standby.url,
            "DJANGO_SUPERUSER_PASSWORD": "stack",
            "HITSTREAM_REPLICA_LAG": str(LAG),
        }
        with primary, standby, broker, running(folder, primary.url, broker.url, **settings) as up:
            up.manage("createsuperuser", "--noinput", "--username=admin", "--email=a@example.com")
            client = FormClient(f"http://127.0.0.1:{up.port}")
            client.submit("/admin/login/", username="admin", password="stack")
            yield Site(up, standby, client)
        for server in (standby, broker, primary):
            server.remove()


def test_pages_read_from_a_replica_only_while_it_follows(site: Site) -> None:
    site.stack.issue("first")
    # The sign-in was a change of one's own.
    time.sleep(LAG + 1)
    wait_until(lambda: site.is_shown("first"), within=10)
    wait_until(site.is_read_from_replica, within=20)

    site.replay("pause")
    site.stack.issue("second")
    assert not site.is_shown("second")
    # The bound, and the second for which the lag is cached.
    wait_until(lambda: site.is_shown("second"), within=LAG + 3)

    site.replay("resume")
    wait_until(site.is_read_from_replica, within=20)


def test_who_changes_something_sees_it(site: Site) -> None:
    wait_until(site.is_read_from_replica, within=20)
    site.replay("pause")
    fields = {"name": "mine", "ip_policy": "keep", "enabled": "on"}
    page = site.client.submit("/admin/hitstream/token/add/", **fields)
    assert "errorlist" not in page.text, page.text
    assert site.is_shown("mine")
    site.replay("resume")


def test_a_replica_that_is_gone_costs_no_page(site: Site) -> None:
    wait_until(site.is_read_from_replica, within=20)
    site.standby.stop()
    for _ in range(20):
        assert site.is_shown("first")
    site.standby.start()
    wait_until(site.is_read_from_replica, within=20)
