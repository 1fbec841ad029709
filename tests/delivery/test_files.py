"""The worker writes files as it posts hits: what a dead one had written is not written again."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.hits import Send, hit
from tracking.delivery.engine import engine
from tracking.destinations.contract import registry
from tracking.destinations.transport.http import Client
from tracking.models import Attempt, Delivery, Hit, Integration, Token

CONFIG = {"service": "local", "bucket": "hits", "format": "ndjson", "batch_size": 4}


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.HITSTREAM = {**settings.HITSTREAM, "LOCAL_FOLDER": str(tmp_path)}
    return tmp_path


@pytest.fixture
def integration(token: Token, folder: Path) -> Integration:
    form = registry.get_destination("object-storage").Config(CONFIG)
    assert form.is_valid(), form.errors
    integration = Integration(token=token, name="Files", destination="object-storage")
    integration.configure(form)
    integration.save()
    return integration


def rows(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.rglob("*.ndjson.gz"))
    return [json.loads(line) for file in files for line in gzip.open(file).read().splitlines()]


def test_hits_become_files(send: Send, integration: Integration, folder: Path) -> None:
    for number in range(9):
        assert send(hit(hitId=f"h{number}")).status_code == 204
    engine.run()
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"delivered": 9}
    assert {row["id"]: row["payload"] for row in rows(folder)} == {
        str(stored.pk): stored.payload for stored in Hit.objects.all()
    }
    assert len(rows(folder)) == 9
    assert set(Attempt.objects.values_list("status", "code")) == {(None, "")}


def test_what_a_dead_worker_had_written_is_not_written_again(
    send: Send, integration: Integration, folder: Path
) -> None:
    for number in range(9):
        assert send(hit(hitId=f"h{number}")).status_code == 204
    ids = sorted(Hit.objects.values_list("pk", flat=True))
    found = Hit.objects.events(ids, integration)

    async def die_before_noting_it() -> None:
        async with Client() as client:
            await integration.open().deliver([found[id] for id in ids[2:5]], client)

    asyncio.run(die_before_noting_it())
    assert len(rows(folder)) == 3
    engine.run()
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"delivered": 9}
    assert sorted(row["id"] for row in rows(folder)) == [str(id) for id in ids]
