"""The disk that Postgres writes to, where it can be seen from here."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from tracking.conf import conf
from tracking.health.part import Part, good, poor

#: With a smaller share of it free somebody should act.
LITTLE = 0.1
GIGABYTE = 1024**3


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes."""

    total: int
    free: int

    @property
    def free_share(self) -> float:
        return self.free / self.total if self.total else 0.0

    def __str__(self) -> str:
        return (
            f"{self.free / GIGABYTE:,.1f} of {self.total / GIGABYTE:,.1f} GB are free "
            f"({self.free_share:.0%})"
        )


def look() -> Disk | None:
    """The disk of the folder HITSTREAM["DISK"]; None where none is named, or it is not there."""
    if not conf.DISK:
        return None
    try:
        usage = shutil.disk_usage(conf.DISK)
    except OSError:
        return None
    return Disk(usage.total, usage.free)


def part() -> Part:
    disk = look()
    if disk is None and conf.DISK:
        return poor("Disk", f"{conf.DISK} is not there: mend HITSTREAM_DISK.")
    if disk is None:
        return good("Disk", "Not looked at: HITSTREAM_DISK may name a folder on Postgres's disk.")
    if disk.free_share >= LITTLE:
        return good("Disk", f"{disk}.")
    return poor("Disk", f"{disk}: make it larger, or keep hits for fewer days (HIT_DAYS).")
