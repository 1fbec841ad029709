"""Which integrations are sent to, and have something due."""

from __future__ import annotations

from collections.abc import Collection

from tracking import db
from tracking.delivery.scan_bounds import scan_bounds
from tracking.models import Integration
from tracking.models.integrations.integration import CONFIGURED

DUE = """
    SELECT bounded.id FROM unnest(%s::bigint[], %s::timestamptz[]) AS bounded(id, floor)
    WHERE EXISTS (
        SELECT FROM hitstream_queue
        WHERE integration_id = bounded.id
          AND due_at <= statement_timestamp() AND due_at >= bounded.floor
    ) OR EXISTS (
        SELECT FROM hitstream_queue
        WHERE integration_id = bounded.id AND due_at <= statement_timestamp() AND claims >= 2
    )
"""


def find_running() -> dict[int, Integration]:
    """The integrations that are sent to, as they are now."""
    return {each.pk: each for each in Integration.objects.running().select_related("token")}


def is_same(new: Integration, old: Integration) -> bool:
    """Whether nothing has changed that decides what is sent."""
    return all(getattr(new, name) == getattr(old, name) for name in CONFIGURED)


def due() -> list[int]:
    """The running integrations that something is due to."""
    return due_of(Integration.objects.running().values_list("pk", flat=True))


def due_of(ids: Collection[int]) -> list[int]:
    """Those of the integrations that something is due to."""
    if not ids:
        return []
    with db.write_cursor() as cursor:
        cursor.execute(DUE, [list(ids), [scan_bounds.get("dispatch", pk) for pk in ids]])
        return [row[0] for row in cursor.fetchall()]
