"""Database routers: a Postgres of their own for Hitstream's tables, and a replica for its pages."""

from __future__ import annotations

from typing import Any

from django.db import router
from django.db.models import Model

from tracking import replica
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


class ReplicaRouter:
    """Sends the reads of pages to the replica HITSTREAM["REPLICA"]. It stands before other routers,
    which choose the primary."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        if not conf.REPLICA or model._meta.app_label != LABEL:
            return None
        return conf.REPLICA if replica.is_read() else self.db_for_write(model, **hints)

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        """Return the primary for an object that comes from the replica."""
        instance = hints.get("instance")
        if conf.REPLICA and instance is not None and instance._state.db == conf.REPLICA:
            return router.db_for_write(model)
        return None

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool | None:
        """Allow objects of the replica beside those of the primary: they are the same rows."""
        return True if conf.REPLICA in {one._state.db, other._state.db} else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == conf.REPLICA else None
