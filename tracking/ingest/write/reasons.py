"""Why Postgres stores no hit, in words that anybody may read: no host, role or table."""

from __future__ import annotations

import psycopg
from psycopg import errors

NO_ANSWER = "Postgres does not answer in time."
UNREACHABLE = "Postgres cannot be reached, or refuses the connection: the log says why."
OTHER = "Postgres refuses to store a hit: the log says why."


class NoPartition(errors.InsufficientPrivilege):
    """The partition of today is missing, and the role may not create it."""


#: The first class that fits.
REASONS: tuple[tuple[type[psycopg.Error], str], ...] = (
    (
        NoPartition,
        "Today's partition is missing, and the database role may not create it: the owner may.",
    ),
    (errors.InsufficientPrivilege, "The database role lacks a privilege on a table."),
    (errors.LockNotAvailable, "A table is locked."),
    (errors.QueryCanceled, "Postgres does not store a hit in time."),
    (errors.ReadOnlySqlTransaction, "Postgres takes no writes: it is a standby, or read-only."),
    (errors.CheckViolation, "Today's partition is missing."),
    (
        errors.UndefinedTable,
        "The tables are not found: run `manage.py migrate`, or correct the search path.",
    ),
    (errors.DiskFull, "The disk of Postgres is full."),
)
#: What libpq and poolers answer, by a part of the message.
MESSAGES = {
    "session is read-only": "No host of DATABASE_URL takes writes.",
    "unsupported startup parameter": "The pooler refuses a parameter of the connection: "
    "`manage.py check --database default` says what to do.",
    "statement pooling mode": "The pooler is in statement mode: set transaction or session mode.",
}


def reason_of(error: BaseException | None) -> str:
    """Return the reason; without an error Postgres has not answered."""
    if error is None:
        return NO_ANSWER
    for part, reason in MESSAGES.items():
        if part in str(error):
            return reason
    for kind, reason in REASONS:
        if isinstance(error, kind):
            return reason
    return UNREACHABLE if isinstance(error, psycopg.OperationalError) else OTHER
