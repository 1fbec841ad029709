"""A pooler in front of Postgres, and what of Django's connection it would break."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connections
from django.utils.functional import lazy
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from tracking import db
from tracking.health.component import Component, bad, good

#: What to write instead of an option of the connection.
INSTEAD_OF_OPTIONS = (
    "Put it into `ALTER ROLE … SET …` in place of `options`: for example "
    "`ALTER ROLE hitstream SET search_path = hits`."
)


def remedy(message: str) -> str:
    """Return what to do if a connection was refused with this message."""
    if "unsupported startup parameter" in message:
        return INSTEAD_OF_OPTIONS
    if "statement pooling mode" in message:
        return "Set pool_mode of PgBouncer to transaction, or session."
    return "Start Postgres, or correct DATABASE_URL."


def faults() -> Iterator[str]:
    """Yield each setting of the database that cannot work where transactions share sessions, with
    what to do: in English, for a command, and marked for a page."""
    settings = connections[db.write_alias()].settings_dict
    if not settings.get("DISABLE_SERVER_SIDE_CURSORS"):
        yield gettext_noop(
            "A cursor on the server is lost: set DISABLE_SERVER_SIDE_CURSORS to True."
        )
    if settings["OPTIONS"].get("assume_role"):
        yield gettext_noop(
            "`assume_role` reaches other clients: leave it out, and let the role of the connection "
            "be a member of the owner, or the owner."
        )
    if settings["OPTIONS"].get("prepare_threshold") is not None:
        yield gettext_noop("Prepared statements are lost: leave out `prepare_threshold`.")


def component() -> Component:
    kind = gettext_noop("Pooler")
    first, *found = gettext_noop("A pooler stands before Postgres."), *faults()
    if found:
        return bad(kind, lazy(lambda: " ".join(map(gettext, (first, *found))), str)())
    return good(kind, _("A pooler stands before Postgres; transactions may share sessions."))
