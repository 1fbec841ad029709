"""No page reads a whole table, however big it grows: by the plans of its statements."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests.support.crowd import crowd, statements
from tests.support.people import viewer
from tests.support.reset import clear
from tracking.models import Hit, Integration, Token
from tracking.models.explain.recent import RECENT, recent_hits
from tracking.models.hits.partitions import PARTITIONED, SQL, Partition

pytestmark = pytest.mark.django_db

#: Tables that grow with the hits, or with the years.
GROWING = re.compile(
    r"hitstream_(hit|outcome|attempt)(_\d{8})?$|hitstream_(queue|deadletter|ledger|hitkey)$"
    r"|hitstream_(rollup|visitor)$"
)
HITS, DAYS = 20_000, 12
# Years of hours that no page looks at.
PAST = """
    INSERT INTO hitstream_ledger (quarter_hour, token_id, integration_id, kind, reason, count)
    SELECT date_trunc('hour', now()) - n * interval '1 hour', token_id, id, 'matched', '', 1
    FROM generate_series(1000, 9000) AS n, (
        SELECT token_id, id FROM hitstream_integration UNION SELECT id, 0 FROM hitstream_token
    ) AS owner
"""
PATHS = (
    *(f"/console/?span={span}" for span in ("24h", "7d", "30d")),
    *(f"/console/integrations/?span={span}" for span in ("24h", "7d", "30d")),
    *(f"/console/integrations/{{integration}}/?span={span}" for span in ("24h", "7d", "30d")),
    *(f"/console/{name}/" for name in ("live", "alerts", "audit", "self-test")),
    *(f"/console/analytics/?last={last}&breakdown=plan" for last in ("24h", "7d", "30d", "90d")),
    "/console/analytics/?last=30d&name=Event+3",
    "/console/analytics/?last=30d&format=csv&table=pages",
    "/console/hits/{hit}/",
    *(
        f"/console/{log}deliveries/?{wanted}"
        for log in ("", "integrations/{integration}/")
        for wanted in ("", "state=retrying", "state=dead&event=Event+3", "status=503", "user=u31")
    ),
    "/console/deliveries/{hit}/{integration}/",
    "/console/refused/",
    "/console/events/",
    "/console/events/?q=vent&sort=-last&token={token}",
    "/console/events/?event=Event+7",
    "/console/events/?event=Event+7&token={token}&last=90d",
    "/console/events/completion/?kind=events&q=e",
    "/console/events/completion/?kind=paths&syntax=cel&token={token}&event=Event+7",
    "/console/events/completion/?kind=breakdowns",
    "/console/palette/?q=event",
    *(f"/console/users/?id={value}" for value in ("bot", "u31")),
    *(f"/console/search/?q={value}" for value in ("bot", "u31", "nobody@example.org")),
)


@pytest.fixture(scope="module")
def crowded(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, Client]]:
    """Who sees everything and who sees all tokens but one, and enough of everything that Postgres
    minds."""
    with django_db_blocker.unblock():
        tokens = crowd(HITS, DAYS, waiting=3000)
        call_command("rollup", stdout=StringIO())
        Token.objects.filter(pk=tokens[-1].pk).update(audience=["Shop"])
        with connection.cursor() as cursor:
            cursor.execute(PAST)
            cursor.execute("VACUUM ANALYZE")
        clients = {"all": Client(), "some": Client()}
        clients["all"].force_login(User.objects.create_superuser("admin"))
        clients["some"].force_login(viewer())
        yield clients
        empty()


def empty() -> None:
    """As after any test that committed something; and no leaf of a day that others do not have."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(SQL["partitions"], {"tables": list(PARTITIONED)})
        for leaf in (Partition.named(name) for (name,) in cursor.fetchall()):
            if leaf.day < yesterday:
                cursor.execute(f"DROP TABLE {leaf.name}")
    clear()


@pytest.mark.parametrize("sees", ["all", "some"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_reads_no_table_that_grows_as_a_whole(
    crowded: dict[str, Client], path: str, sees: str
) -> None:
    integration = Integration.objects.order_by("pk")[0]
    hit = Hit.objects.filter(token=integration.token)[0]
    known = {"integration": integration.pk, "hit": hit.pk, "token": integration.token_id}
    with statements() as seen:
        answer = crowded[sees].get(path.format(**known))
    assert answer.status_code == 200
    assert seen
    for sql, params in seen:
        if sql.lstrip().startswith(("SELECT", "WITH", "(")):
            assert list(whole_reads(plan_of(sql, params))) == [], sql


@pytest.mark.usefixtures("crowded")
def test_the_live_view_reads_the_end_of_the_hits_alone() -> None:
    with statements() as seen:
        assert len(recent_hits()) == RECENT
    assert len(seen) == 3
    for sql, params in seen:
        assert list(whole_reads(plan_of(sql, params))) == [], sql


@pytest.mark.usefixtures("crowded")
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM hitstream_hit",
        "SELECT id FROM hitstream_hit WHERE payload ? 'x'",
        "SELECT integration_id, min(queued_at) FROM hitstream_queue GROUP BY 1",
    ],
)
def test_a_statement_that_reads_everything_is_noticed(sql: str) -> None:
    assert list(whole_reads(plan_of(sql, None)))


def plan_of(sql: str, params: Any) -> dict[str, Any]:
    """As Postgres would do it with tables too big to be read as a whole."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        found = cursor.fetchone()[0]
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def whole_reads(node: dict[str, Any], *, limited: bool = False) -> Iterator[str]:
    """Of the plan, what reads a growing table from one end to the other: without a condition on an
    index, or a limit right above that ends it."""
    kind, table = node["Node Type"], node.get("Relation Name", "")
    if GROWING.match(table) and not is_empty(table):
        is_bounded = "Index Cond" in node or limited or kind.startswith("Bitmap")
        if kind == "Seq Scan" or not is_bounded:
            yield f"{kind} of {table}"
    passes = kind in {"Limit", "Append", "Merge Append", "Subquery Scan", "Result", "LockRows"}
    for child in node.get("Plans", ()):
        yield from whole_reads(child, limited=kind == "Limit" or (limited and passes))


def is_empty(table: str) -> bool:
    """The leaves of days to come are: there is no better way to read nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s::regclass) = 0", [table])
        return bool(cursor.fetchone()[0])
