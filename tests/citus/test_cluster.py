"""Many tokens on a cluster: where their rows lie, which servers a statement asks, and the story of
a hundred tokens from the first hit to the reconciliation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO
from typing import Any, LiteralString

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from tests.support.integrations import add_webhook
from tests.support.rollups import aged, sender
from tests.support.vendor import Vendor, reply
from tracking.delivery import due
from tracking.delivery.engine import engine
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write import store
from tracking.ingest.write.connection import connect
from tracking.ingest.write.outcome import Stored
from tracking.models import Hit, Ledger, Outcome, QueuedDelivery, Token, Watermark
from tracking.models.analytics import rollup_job
from tracking.models.deliveries import queue
from tracking.models.deliveries.criteria import Criteria
from tracking.models.deliveries.dead_letter import DeadLetter
from tracking.models.operations.backfill import Backfill
from tracking.models.upkeep.distribution import BESIDE, EVERYWHERE, FIRST
from tracking.sql import OF_TOKEN

pytestmark = pytest.mark.django_db(transaction=True)

TOKENS, HITS = 100, 5


@pytest.fixture
def shops() -> list[Token]:
    return [Token.objects.issue(f"shop {number}")[0] for number in range(TOKENS)]


def arrivals_of(tokens: Sequence[Token], hits: int = HITS) -> list[Arrival]:
    body = json.dumps({"event": {"name": "Registered", "user": {"userId": "u1"}}}).encode()
    return [aged(parse(body, sender(token))) for token in tokens for _ in range(hits)]


def store_all(arrivals: Sequence[Arrival]) -> None:
    with connect() as ours:
        outcomes = store.store(ours, arrivals)
    assert set(outcomes) == {Stored.NEW}


def servers_of(statement: LiteralString, parameters: dict[str, Any]) -> int:
    """On how many shards the statement runs."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    counts = [int(line.rpartition(" ")[2]) for line in plan.splitlines() if "Task Count:" in line]
    assert counts, plan
    return max(counts)


def test_the_rows_of_a_token_lie_together() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name::text, citus_table_type, distribution_column, colocation_id"
            " FROM citus_tables"
        )
        kinds = {name: rest for name, *rest in cursor.fetchall()}
    assert {tuple(kinds[name]) for name in BESIDE} == {tuple(kinds[FIRST])}
    assert kinds[FIRST][:2] == ["distributed", "token_id"]
    assert {kinds[name][0] for name in EVERYWHERE} == {"reference"}


def test_statements_of_a_token_ask_one_server(token: Token) -> None:
    integration = add_webhook(token)
    of_token = {"token": token.pk, "integration": integration.pk, "integrations": [integration.pk]}
    claim = {"least": 0, "most": 1, "limit": 9, "lease": 9.0, "parking": 9.0, "bound": "epoch"}
    for name in ("claim", "claim_in_order"):
        assert servers_of(queue.SQL[name], {**of_token, **claim}) == 1
    assert servers_of(queue.SQL["oldest" + OF_TOKEN], of_token) == 1
    bounds = {**of_token, "bounds": [queue.ALWAYS]}
    assert servers_of(due.SQL["due" + OF_TOKEN], bounds) == 1


def test_a_hundred_tokens_from_the_first_hit_to_the_reconciliation(
    shops: list[Token], vendor: Vendor
) -> None:
    integrations = [add_webhook(shop, vendor.url, config={"batch_size": 10}) for shop in shops]
    store_all(arrivals_of(shops))
    engine.run()
    assert Outcome.objects.filter(result="delivered").count() == TOKENS * HITS
    assert not QueuedDelivery.objects.exists()

    vendor.answer = reply(400)
    store_all(arrivals_of(shops[:5]))
    engine.run()
    assert DeadLetter.objects.count() == 5 * HITS
    vendor.answer = reply()
    assert DeadLetter.objects.all().replay() == 5 * HITS
    engine.run()
    assert not DeadLetter.objects.exists()

    late = add_webhook(shops[0], vendor.url, name="Late")
    own = Hit.objects.filter(token=shops[0]).values_list("pk", flat=True)
    assert Backfill(late, Criteria()).enqueue(list(own)) == 2 * HITS
    engine.run()
    assert Outcome.objects.filter(integration=late, result="delivered").count() == 2 * HITS

    assert rollup_job.catch_up() == (TOKENS + 5) * HITS
    assert Watermark.objects.count() == TOKENS
    Ledger.objects.consolidate()
    for command in (["reconcile"], ["rollup", "--check"]):
        call_command(*command, stdout=StringIO())

    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    pages = ("", "live/", "integrations/", "analytics/", "alerts/", "audit/", "search/?q=u1")
    of_one = (f"integrations/{integrations[0].pk}/", f"hits/{own[0]}/")
    for page in (*pages, *of_one):
        assert client.get(f"/console/{page}").status_code == 200, page


def test_what_is_distributed_is_not_distributed_again() -> None:
    with pytest.raises(CommandError, match="distributed already"):
        call_command("distribute", "--yes")
