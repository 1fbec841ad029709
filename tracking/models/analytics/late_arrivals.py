"""Hits that may be committed after the roll-up has passed their ids.

The roll-up counts ids that are `lag()` old, by the database's clock. It would never see a hit that
is committed later, so the statement that stores such a hit also writes its id here: a reader sees
both or neither. That is every hit in a transaction that somebody else ends (`track()`, an import),
and any hit that, when its statement begins, is older than `after()` or not after the watermark: the
database's clock may have been put back.

A younger hit has the rest of the lag: its statement takes STATEMENT_TIMEOUT at most, and its
commit, which no timeout bounds, has COMMIT_SECONDS. If a disk holds a commit up for longer, its
hits are not counted: `manage.py rollup --check` reports it, `--rebuild` repairs it.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from tracking.conf import conf

#: Seconds that a commit may take, the disk's flush and a synchronous standby included.
COMMIT_SECONDS = 13.0
#: Seconds beyond COMMIT_LAG after which the roll-up counts a hit.
SLACK = 10.0
#: An age that every hit has, whatever its clock shows.
ALWAYS = "-1000 years"


def after() -> str:
    """Return the age from which an autocommitted hit is marked late, as a Postgres interval. It is
    negative if the statement timeout exceeds the lag: then hits from a host whose clock is ahead
    are marked, too."""
    seconds = lag().total_seconds() - conf.STATEMENT_TIMEOUT - COMMIT_SECONDS
    return f"{seconds} seconds"


def lag() -> timedelta:
    """Return the age from which the roll-up counts a hit."""
    return timedelta(seconds=conf.COMMIT_LAG + SLACK)


class LateArrival(models.Model):
    """The mark of a hit that may be committed late; deleted once the hit is counted."""

    hit_id = models.UUIDField(primary_key=True)
    token_id = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.hit_id)
