"""Hits that may be committed after the roll-up has passed their ids.

The roll-up counts ids that are `lag()` old, by the database's clock. A hit that is committed later
than that would never be seen, so its id is written here, in the statement that stores it: whoever
sees the one sees the other. That is every hit whose transaction somebody else ends (`track()`, an
import), and any that, when its statement begins, is older than `after()` or not after the
watermark: the database's clock may have been put back.

What is younger then has the rest of the lag: its statement takes STATEMENT_TIMEOUT at the most, and
its commit, which no timeout bounds, has COMMIT_SECONDS. If a disk holds a commit up for longer
than that, its hits are not counted: `manage.py rollup --check` tells, `--rebuild` mends.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from tracking.conf import conf

#: How long a commit may take, the disk's flush and a synchronous standby included.
COMMIT_SECONDS = 13.0
#: So much older than COMMIT_LAG a hit has to be for the roll-up.
SLACK = 10.0
#: An age that every hit has, whatever its clock says.
ALWAYS = "-1000 years"


def after() -> str:
    """The age at which a hit is marked whose statement is a transaction, as an interval: below
    zero, of one that comes from the future by its host's clock, if statements may take long."""
    seconds = lag().total_seconds() - conf.STATEMENT_TIMEOUT - COMMIT_SECONDS
    return f"{seconds} seconds"


def lag() -> timedelta:
    """How old a hit is that the roll-up counts."""
    return timedelta(seconds=conf.COMMIT_LAG + SLACK)


class LateArrival(models.Model):
    """A mark: gone once the hit is counted."""

    hit_id = models.UUIDField(primary_key=True)

    def __str__(self) -> str:
        return str(self.hit_id)
