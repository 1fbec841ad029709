"""The disk of Postgres, if it can be seen from this machine."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from tracking.health.component import Component, fill, good, poor
from tracking.models.upkeep.disk import Disk, measure

#: Below this free share, or fewer days until the disk is full, an operator must act.
LITTLE, SOON = 0.1, 7


def component() -> Component:
    kind, disk = gettext_noop("Disk"), measure()
    if disk.free_share is None:
        said = _("%(disk)s: HITSTREAM_DISK_BYTES may say what the database may grow to.")
        return good(kind, fill(said, disk=disk))
    if is_little(disk):
        said = _("%(disk)s: make it larger, or keep hits for fewer days (HIT_DAYS).")
        return poor(kind, fill(said, disk=disk))
    return good(kind, fill("%(disk)s.", disk=disk))


def is_little(disk: Disk) -> bool:
    share, days = disk.free_share, disk.days_left
    return share is not None and (share < LITTLE or (days is not None and days < SOON))
