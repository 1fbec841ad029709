"""A database router that keeps Hitstream's tables in a Postgres of their own."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from tracking.conf import conf

LABEL = "hitstream"


class HitstreamRouter:
    """Sends the app `hitstream` to the database HITSTREAM["DATABASE"], and nothing else of it."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return conf.DATABASE if model._meta.app_label == LABEL else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        if app_label == LABEL:
            return db == conf.DATABASE
        return None
