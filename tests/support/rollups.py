"""Hits that the roll-up may count by now, and what a plain count of all hits says."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
from django.db import connection
from django.db.models import Sum
from uuid_utils.compat import uuid7

from tracking.ingest.parse.arrival import Arrival, ClientInfo
from tracking.ingest.parse.segment_payload import parse_event
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write import store
from tracking.ingest.write.store import parameters, without_duplicates
from tracking.models import Rollup, Token
from tracking.uuid7 import first_uuid7

NAMES = ("Registered", "Viewed Page", "Completed Transaction", "", "Ünïcode 'quoted'")
PLAIN = """
    SELECT token_id, date_trunc(%s, occurred_at, 'UTC'),
        CASE WHEN name <> '' THEN name ELSE type END, count(*)
    FROM hitstream_hit GROUP BY 1, 2, 3
"""
USERS = """
    SELECT token_id, date_trunc('day', occurred_at, 'UTC'), event, count(DISTINCT CASE
        WHEN user_id <> '' THEN 'u' || user_id WHEN anonymous_id <> '' THEN 'a' || anonymous_id
        ELSE 'e' || email_hash END)
    FROM hitstream_hit CROSS JOIN LATERAL (
        VALUES (''), (CASE WHEN name <> '' THEN name ELSE type END)
    ) AS events (event)
    GROUP BY 1, 2, 3
"""


def random_arrival(token: Token, choose: random.Random) -> Arrival:
    """Of one of both payload shapes; a third occurred days ago, a tenth repeats a hitId."""
    at = datetime.now(UTC) - timedelta(seconds=choose.choice([30, 30, choose.randrange(800_000)]))
    user = choose.choice([{"userId": "u%s"}, {"anonymousId": "u%s"}])
    user = {key: value % choose.randrange(30) for key, value in user.items()}
    context = choose.choice(
        [
            {},
            {"page": {"path": f"/{choose.randrange(4)}"}, "campaign": {"source": "google"}},
            {"page": {"url": f"https://shop.example/{choose.randrange(4)}?a=b#c"}, "campaign": 7},
        ]
    )
    said = {"plan": choose.choice(["free", "pro", 7, True, None, ["x"], {"a": 1}, "x" * 300, ""])}
    hit_id = f"h{choose.randrange(200)}" if choose.random() < 0.2 else None
    name = choose.choice(NAMES)
    if choose.random() < 0.5:
        event = {**said, "name": name, "user": {**user, "plan": "of the user"}}
        hit = {"event": event, "context": context, "sentAt": at.isoformat(), "hitId": hit_id}
        return aged(parse(json.dumps(hit).encode(), sender(token)))
    hit = {"type": "track", "event": name or "Named", "properties": said, "context": context}
    hit |= {"timestamp": at.isoformat(), "messageId": hit_id, **user}
    return aged(parse_event(json.dumps(hit).encode(), sender(token)))


def arrival(token: Token, **hit: Any) -> Arrival:
    return aged(parse(json.dumps({"event": {}, "userId": "u", **hit}).encode(), sender(token)))


def sender(token: Token) -> ClientInfo:
    return ClientInfo(token_id=token.pk, ip=None, user_agent="")


def aged(arrival: Arrival, seconds: float = 60.0) -> Arrival:
    """As if it had come so long ago."""
    received_at = arrival.received_at - timedelta(seconds=seconds)
    id = type(arrival.id)(int=first_uuid7(received_at).int | uuid7().int & (1 << 80) - 1)
    return msgspec.structs.replace(arrival, id=id, received_at=received_at)


def store_in_time(own: psycopg.Connection[Any], batch: Sequence[Arrival]) -> None:
    """As if the statement had come as soon as the hits did: none of them is marked."""
    own.execute(store.SQL["store"], parameters(without_duplicates(batch), "1 hour"), prepare=True)


def plain(unit: str) -> dict[Any, int]:
    """Hits by token, hour or day, and name."""
    return asked(PLAIN, unit)


def users() -> dict[Any, int]:
    """Users by token, day and name, '' for any event."""
    return asked(USERS)


def asked(statement: str, *given: str) -> dict[Any, int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return {tuple(row[:-1]): row[-1] for row in cursor.fetchall()}


def rolled_up(dimension: str) -> dict[Any, int]:
    """By token, time and name, over all values."""
    rows = Rollup.objects.filter(dimension=dimension).values_list("token_id", "at", "name")
    return {tuple(row[:-1]): row[-1] for row in rows.annotate(Sum("count"))}


def values(dimension: str, **of: str) -> Counter[str]:
    """Of any event, if none is named."""
    rows = Rollup.objects.filter(dimension=dimension, **{"name": "", **of}).values_list("value")
    return Counter(dict(rows.annotate(Sum("count"))))
