"""A database router that keeps Hitstream's tables in a Postgres of their own."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from tracking.conf import conf

LABEL = "hitstream"


class HitstreamRouter:
    """Keeps the app `hitstream` in the database HITSTREAM["DATABASE"], and makes no table of other
    apps there, unless it is the default database. A router before this one may decide otherwise."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return conf.DATABASE if model._meta.app_label == LABEL else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        if app_label == LABEL:
            return db == conf.DATABASE
        # The data migrations of other apps write to their own database, whichever is migrated.
        return False if db == conf.DATABASE != DEFAULT_DB_ALIAS else None
