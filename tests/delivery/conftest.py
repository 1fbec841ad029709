"""A vendor, and hits stored by the statement that stores them all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

import pytest

from tracking.ingest.parse.arrival import ClientInfo
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.connection import connect
from tracking.ingest.write.store import store
from tracking.models import Token

Storing = Callable[[Iterable[tuple[str, str]]], None]


@pytest.fixture
def stored(token: Token) -> Iterator[Storing]:
    """Stores hits, each given by its hitId and its user, in one statement."""
    sender = ClientInfo(token_id=token.pk, ip=None, user_agent="")
    with connect() as connection:

        def storing(hits: Iterable[tuple[str, str]]) -> None:
            bodies = [
                json.dumps({"hitId": hit_id, "userId": user, "event": {"name": "Clicked"}}).encode()
                for hit_id, user in hits
            ]
            store(connection, [parse(body, sender) for body in bodies])

        yield storing
