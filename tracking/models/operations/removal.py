"""The removal of all hits and dead letters of a deleted token, with their counts.

Retention drops whole days and needs none of this. The hits of a token are removed in chunks, each
with the correction of the ledger in the same statement, and then what analytics counted of them.
"""

from __future__ import annotations

from typing import Any

from tracking import db
from tracking.models.analytics.watermark import Watermark
from tracking.models.deliveries.dead_letter import DeadLetter
from tracking.models.hits.hit import Hit
from tracking.models.tokens.token import Token
from tracking.sql import load

#: Hits, or dead letters, that one statement deletes at most.
CHUNK = 5_000
SQL = load(__file__)


def remove_dead_letters(token: Token) -> int:
    """Delete the dead letters of the deleted token. Returns how many."""
    letters = DeadLetter.objects.using(db.write_alias()).filter(
        token_id=token.pk, integration__token=token
    )
    removed = 0
    while ids := list(letters.order_by().values_list("pk", flat=True)[:CHUNK]):
        with db.write_cursor() as cursor:
            cursor.execute(SQL["remove_dead_letters"], {"token": token.pk, "ids": ids})
            removed += cursor.fetchone()[0]
    return removed


def remove_hits(token: Token) -> int:
    """Delete all hits of the deleted token, of which no delivery may be queued or a dead letter.
    Returns how many."""
    hits = Hit.objects.using(db.write_alias()).filter(token_id=token.pk).order_by("pk")
    removed = 0
    while ids := list(hits.values_list("pk", flat=True)[:CHUNK]):
        chunk: dict[str, Any] = {"token": token.pk, "first": ids[0], "last": ids[-1]}
        with db.write_cursor() as cursor:
            cursor.execute(SQL["remove_hits"], chunk)
            removed += cursor.fetchone()[0]
    with Watermark.objects.hold(wait=True) as cursor:
        cursor.execute(SQL["remove_visitors"], {"token": token.pk})
        cursor.execute(SQL["remove_rollups"], {"token": token.pk})
    return removed
