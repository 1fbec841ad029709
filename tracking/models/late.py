"""Hits that may be committed after the roll-up has passed their ids.

The roll-up counts ids up to COMMIT_LAG ago, by the database's clock. A hit that is stored later
than that would never be seen, so its id is written here, in the statement that stores it: whoever
sees the one sees the other. That is every hit whose transaction somebody else ends (`track()`, an
import), and any that is older, when its statement begins, than `after()`.

A hit that is younger then is committed within the rest of COMMIT_LAG: its statement may take
STATEMENT_TIMEOUT, and its commit COMMIT_SECONDS.
"""

from __future__ import annotations

from django.db import models

from tracking.conf import conf

#: The longest that a commit itself takes, the disk's flush included: no timeout bounds it.
COMMIT_SECONDS = 3.0
#: An age that every hit has, whatever its clock says.
ALWAYS = "-1000 years"


def after() -> str:
    """The age at which a hit is marked whose statement is a transaction, as an interval."""
    return f"{max(0.0, conf.COMMIT_LAG - conf.STATEMENT_TIMEOUT - COMMIT_SECONDS)} seconds"


class Late(models.Model):
    """A mark: gone once the hit is counted."""

    hit_id = models.UUIDField(primary_key=True)

    def __str__(self) -> str:
        return str(self.hit_id)
