"""Thousands of hostile expressions against the web server and the worker: /healthz answers all the
while, and other deliveries go on."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from project.embedded.postgres import EmbeddedPostgres
from project.embedded.secret import PASSWORD
from tests.support.form_client import FormClient
from tests.support.hits import hit
from tests.support.hostile import CONDITIONS, PATHS, generated
from tests.support.sizes import of_faults
from tests.support.stack import Stack
from tests.support.vendor import Vendor, open_vendor, reply
from tests.support.waiting import wait_until

#: Generated expressions; each takes the computing time that it may.
MANY = of_faults(10_000, 30)
#: Hostile mappings that one hit meets.
ROUND = 100
#: The grammar allows it: in 50 lines it takes a large part of the limit, in 1000 more than that.
SORTS = "sort(properties.list) | sort(@) | length(@)"
Mapping = dict[str, Any]

#: Add an integration for each mapping, whatever the form would say of it.
ADD = """
    INSERT INTO hitstream_integration
    SELECT (jsonb_populate_record(template, jsonb_build_object(
        'id', nextval(pg_get_serial_sequence('hitstream_integration', 'id')),
        'name', 'Hostile ' || gen_random_uuid(),
        'mapping', hostile.mapping
    ))).*
    FROM hitstream_integration AS template, jsonb_array_elements(%s::jsonb) AS hostile(mapping)
    WHERE template.name = 'Template'
"""
HOSTILE = "FROM hitstream_integration AS each WHERE each.name LIKE 'Hostile %'"
MADE = f"SELECT count(*) {HOSTILE}"
DISABLE = "UPDATE hitstream_integration SET enabled = false WHERE name LIKE 'Hostile %'"
UNDECIDED = f"""
    SELECT count(*) {HOSTILE} AND each.enabled AND each.paused_at IS NULL AND EXISTS (
        SELECT FROM hitstream_queue AS queued
        WHERE queued.integration_id = each.id AND queued.attempts = 0
    )
"""
TOO_SLOW = f"SELECT count(*) {HOSTILE} AND each.paused_reason LIKE '%computing time%'"
PAUSED_FOR_OTHER_REASONS = f"""
    SELECT count(*) {HOSTILE} AND each.paused_at IS NOT NULL
    AND each.paused_reason NOT LIKE '%of the mapping%'
"""


def hostile(count: int, seed: int) -> list[Mapping]:
    """Mappings of the expressions that are written down, and of so many generated ones."""
    # Postgres stores no zero character.
    made = [text.replace("\0", "") for text in itertools.islice(generated(seed), count)]
    conditions, paths = [*CONDITIONS, *made[::2]], [*PATHS, *made[1::2]]
    return [
        *({"condition": text} for text in conditions),
        *({"set": [["properties.a", text]]} for text in paths),
        *([{"set": [["properties.a", SORTS]] * lines} for lines in (50, 1000)] * (count // 100)),
    ]


@contextmanager
def healthy(stack: Stack) -> Iterator[None]:
    """The probe answers within a second all the while."""
    over = threading.Event()
    took: list[float] = []

    def probe() -> None:
        while not over.wait(0.05):
            began = time.monotonic()
            connection = HTTPConnection("127.0.0.1", stack.port, timeout=30)
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
            connection.close()
            took.append(time.monotonic() - began)

    with ThreadPoolExecutor(1) as pool:
        probing = pool.submit(probe)
        try:
            yield
        finally:
            over.set()
            probing.result()
    assert took
    assert max(took) < 1.0


def send(stack: Stack, api_token: str, *, numbers: int) -> None:
    """Send a hit that expressions sort, join and nest for as long as it has numbers."""
    event = {
        "name": "Sale",
        "user": {"userId": "u1"},
        "list": [number * 7919 % 90 + 10 for number in range(numbers)],
        "rows": [{"a": number} for number in range(numbers // 20)],
    }
    sender = stack.sender(api_token)
    sender.connection.request("POST", "/track", json.dumps(hit(event=event)), sender.headers)
    assert sender.connection.getresponse().status == 204


@pytest.mark.faults
def test_previews_stop_no_other_page(
    stack: Stack, directory: Path, postgres: EmbeddedPostgres
) -> None:
    send(stack, stack.issue("previewed"), numbers=1_000)
    with psycopg.connect(postgres.url) as connection:
        query = "SELECT id::text FROM hitstream_token WHERE name = 'previewed'"
        ((token,),) = connection.execute(query).fetchall()
    operator = FormClient(f"http://127.0.0.1:{stack.port}")
    password = (directory / "var" / PASSWORD).read_text().strip()
    operator.submit("/admin/login/", username="admin", password=password)
    csrf_token = operator.csrf_token("/admin/hitstream/integration/add/?destination=webhook")

    def preview(mapping: Mapping) -> None:
        lines = [" = ".join(pair) for pair in mapping.get("set", ())]
        page = operator.post(
            "/admin/hitstream/integration/mapping/",
            csrf_token,
            **{
                "token": token,
                "mapping-condition": mapping.get("condition", ""),
                "mapping-set": "\n".join(lines),
            },
        )
        assert page.status == 200
        (shown,) = json.loads(page.text)["hits"]
        assert shown["name"] == "Sale"

    with healthy(stack), ThreadPoolExecutor(2) as pool:
        for _ in pool.map(preview, hostile(MANY, seed=11)):
            pass


@pytest.mark.faults
def test_deliveries_stop_no_other_delivery(
    stack: Stack, postgres: EmbeddedPostgres, vendor: Vendor
) -> None:
    api_token = stack.issue("hostile")
    stack.forward("hostile", vendor.url)
    waiting = hostile(MANY, seed=13)
    with (
        open_vendor(reply()) as theirs,
        psycopg.connect(postgres.url, autocommit=True) as connection,
        healthy(stack),
    ):
        config = json.dumps({"url": theirs.url})
        named = ["--name=Template", f"--config={config}"]
        stack.manage("add_integration", "hostile", "webhook", *named)
        for number in range(0, len(waiting), ROUND):
            vendor.received.clear()
            connection.execute(ADD, [json.dumps(waiting[number : number + ROUND])])
            send(stack, api_token, numbers=8_000)
            wait_until(lambda: vendor.received, within=20)
            wait_until(lambda: count(connection, UNDECIDED) == 0, within=90)
            connection.execute(DISABLE)
        assert count(connection, MADE) == len(waiting)
        assert count(connection, PAUSED_FOR_OTHER_REASONS) == 0
        # Some are slow, and pause their integration; some are fine, and deliver.
        assert count(connection, TOO_SLOW) >= MANY // 100
        assert len(theirs.received) >= 10


def count(connection: psycopg.Connection, query: LiteralString) -> int:
    ((number,),) = connection.execute(query).fetchall()
    return int(number)
