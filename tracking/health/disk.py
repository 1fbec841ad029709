"""The disk of Postgres, if it can be seen from this machine."""

from __future__ import annotations

from tracking.health.component import Component, good, poor
from tracking.models.upkeep.disk import Disk, measure

#: Below this free share, or fewer days until the disk is full, an operator must act.
LITTLE, SOON = 0.1, 7


def component() -> Component:
    disk = measure()
    if disk.free_share is None:
        return good("Disk", f"{disk}: HITSTREAM_DISK_BYTES may say what the database may grow to.")
    if is_little(disk):
        return poor("Disk", f"{disk}: make it larger, or keep hits for fewer days (HIT_DAYS).")
    return good("Disk", f"{disk}.")


def is_little(disk: Disk) -> bool:
    share, days = disk.free_share, disk.days_left
    return share is not None and (share < LITTLE or (days is not None and days < SOON))
