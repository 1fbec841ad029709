"""The integrations that are sent to and have due deliveries."""

from __future__ import annotations

from collections.abc import Collection

from tracking import db
from tracking.delivery.scan_bounds import scan_bounds
from tracking.models import Integration
from tracking.models.integrations.by_token import rows_of_integrations
from tracking.models.integrations.field_groups import CONFIGURED
from tracking.sql import load

SQL = load(__file__)


def find_running(*ids: int) -> dict[int, Integration]:
    """Return the integrations that are sent to, all or those of the ids, as they are now."""
    running = Integration.objects.running().select_related("token")
    return {each.pk: each for each in (running.filter(pk__in=ids) if ids else running)}


def is_same(new: Integration, old: Integration) -> bool:
    """Return whether nothing has changed that decides what is sent."""
    return all(getattr(new, name) == getattr(old, name) for name in CONFIGURED)


def due() -> list[int]:
    """Return the running integrations with due deliveries."""
    return due_of(Integration.objects.running().values_list("pk", flat=True))


def due_of(ids: Collection[int]) -> list[int]:
    """Return those of the integrations that have due deliveries."""
    if not ids:
        return []
    with db.write_cursor() as cursor:
        rows = rows_of_integrations(
            cursor,
            SQL,
            "due",
            ids,
            lambda some: {
                "integrations": some,
                "bounds": [scan_bounds.get("dispatch", pk) for pk in some],
            },
        )
        return [row[0] for row in rows]
