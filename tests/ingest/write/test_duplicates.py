"""Repetitions of a hit are counted beside it, after the answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.hits import Send, hit
from tracking.ingest.parse.arrival import ClientInfo
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write import duplicates as noted
from tracking.ingest.write.connection import connect
from tracking.ingest.write.duplicates import duplicates
from tracking.ingest.write.store import store
from tracking.models import Duplicate, Hit, Token
from tracking.models.upkeep import maintenance


def counted() -> dict[str, int]:
    duplicates.write()
    ids = dict(Hit.objects.values_list("pk", "hit_id"))
    return {ids[repeat.pk]: repeat.count for repeat in Duplicate.objects.all()}


def test_each_repetition_is_counted_once(send: Send, token: Token) -> None:
    for hit_id in ("a", "b", "a", "a"):
        send(hit(hitId=hit_id))
    send(hit())
    send(hit())
    assert counted() == {"a": 2}
    send(hit(hitId="a"))
    send(hit(hitId="b"))
    assert counted() == {"a": 3, "b": 1}
    assert Duplicate.objects.get(count=3).last_at > Hit.objects.get(hit_id="a").received_at


def test_repetitions_within_one_statement_are_counted(token: Token) -> None:
    sender = ClientInfo(token_id=token.pk, ip=None, user_agent="")
    bodies = [b'{"hitId": "%s", "userId": "u", "event": {}}' % name for name in (b"a", b"b", b"a")]
    with connect() as connection:
        store(connection, [parse(body, sender) for body in bodies])
        assert counted() == {"a": 1}
        store(connection, [parse(body, sender) for body in bodies])
    assert counted() == {"a": 3, "b": 1}


def test_the_same_hit_id_of_another_token_repeats_nothing(send: Send, token: Token) -> None:
    other, _ = Token.objects.issue("other")
    send(hit(hitId="a"))
    with connect() as connection:
        sender = ClientInfo(token_id=other.pk, ip=None, user_agent="")
        store(connection, [parse(b'{"hitId": "a", "userId": "u", "event": {}}', sender)])
    assert counted() == {}


def test_no_more_is_kept_in_memory_than_there_is_room_for(
    send: Send, token: Token, monkeypatch: Any
) -> None:
    monkeypatch.setattr(noted, "MOST", 1)
    for hit_id in ("a", "b", "a", "b", "a"):
        send(hit(hitId=hit_id))
    assert counted() == {"a": 2}


def test_they_are_forgotten_with_the_dedup_window(send: Send, token: Token, settings: Any) -> None:
    for hit_id in ("a", "a"):
        send(hit(hitId=hit_id))
    assert counted() == {"a": 1}
    maintenance.run()
    assert Duplicate.objects.exists()
    age = datetime.now(UTC) - Hit.objects.get().received_at + timedelta(microseconds=1)
    settings.HITSTREAM = {**settings.HITSTREAM, "DEDUP_WINDOW": age.total_seconds() / 2}
    maintenance.run()
    assert not Duplicate.objects.exists()
