"""Pages read from the replica, unless it lags, is away, or its reader has changed something."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.integrations import add_webhook
from tests.support.people import operator
from tracking.health import overview
from tracking.health.replica import lag
from tracking.models import Token

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "replica"])

OURS = re.compile(r'(FROM|JOIN) "?hitstream_')


@pytest.fixture
def replica(settings: Any) -> Iterator[Any]:
    """The second alias of the server: what goes there is seen by its queries."""
    settings.HITSTREAM = {**settings.HITSTREAM, "REPLICA": "replica"}
    settings.DATABASE_ROUTERS = ["tracking.router.ReplicaRouter"]
    lag.forget()
    alias: Any = connections["replica"]
    yield alias
    alias.close()
    alias.close_pool()
    lag.forget()


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(operator())
    return client


def queries(client: Client, path: str = "/console/") -> tuple[int, int]:
    """How many statements read Hitstream's tables on the replica and on the primary."""
    with (
        CaptureQueriesContext(connections["replica"]) as there,
        CaptureQueriesContext(connections["default"]) as here,
    ):
        answer = client.get(path)
    assert answer.status_code == 200
    ours = [each for each in here.captured_queries if OURS.search(each["sql"])]
    return len(there.captured_queries), len(ours)


@pytest.mark.parametrize("path", ["", "analytics/", "integrations/", "alerts/", "audit/", "live/"])
def test_pages_read_from_the_replica(client: Client, token: Token, replica: Any, path: str) -> None:
    add_webhook(token)
    there, here = queries(client, f"/console/{path}")
    assert there > 0
    assert here == 0


def test_a_reader_sees_what_it_has_just_changed(client: Client, replica: Any) -> None:
    assert queries(client)[0] > 0
    answer = client.post("/console/self-test/")
    assert answer.cookies["hitstream_primary"]["max-age"] == 5
    there, here = queries(client)
    assert (there, here > 0) == (0, True)
    del client.cookies["hitstream_primary"]
    assert queries(client)[0] > 0


def test_a_change_in_the_admin_counts_too(client: Client, token: Token, replica: Any) -> None:
    answer = client.post(f"/admin/hitstream/token/{token.pk}/change/", {"name": "renamed"})
    assert answer.status_code in (200, 302)
    assert "hitstream_primary" in answer.cookies


def test_senders_get_no_cookie(replica: Any) -> None:
    assert not Client().post("/track").cookies


def test_a_replica_that_lags_is_not_read(client: Client, replica: Any, settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "REPLICA_LAG": -1.0}
    there, here = queries(client)
    assert (there, here > 0) == (0, True)
    (part,) = [each for each in overview.components() if each.name == "Replica"]
    assert part.said == "It lags 0 s, more than REPLICA_LAG: pages read from the primary."


def test_a_replica_that_is_away_is_not_read(
    client: Client, replica: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(replica.settings_dict, "HOST", "/nowhere")
    replica.close_pool()
    with CaptureQueriesContext(connections["default"]) as here:
        assert client.get("/console/").status_code == 200
    assert [each for each in here.captured_queries if OURS.search(each["sql"])]


def test_a_replica_that_dies_while_a_page_reads_costs_no_page(
    client: Client, replica: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lag.answer() == 0
    monkeypatch.setattr(lag, "_remember", 60.0)
    lag.forget()
    lag.answer()
    monkeypatch.setitem(replica.settings_dict, "HOST", "/nowhere")
    replica.close()
    replica.close_pool()
    assert lag.is_known
    assert client.get("/console/").status_code == 200
    assert not lag.is_known
