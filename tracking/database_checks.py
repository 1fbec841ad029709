"""System checks of the database: whether it can be reached, through what, and what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from tracking import db
from tracking.connection import connect
from tracking.health import pooler
from tracking.models import AlertChannel, Integration
from tracking.models.hits import partitions


@register(Tags.database, "hitstream")
def check_pooler(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that Postgres can be reached, and that nothing breaks through a pooler in transaction
    mode (`check --database default`, and `migrate` before it migrates)."""
    alias = db.write_alias()
    if not databases or alias not in databases or connections[alias].vendor != "postgresql":
        return []
    try:
        with connect(statement_timeout=5.0) as connection, connection.transaction():
            is_pooled = connection.is_pooled
    except psycopg.Error as error:
        return [refused(str(error).strip())]
    if not is_pooled:
        return []
    found: list[CheckMessage] = [
        Error(f"A pooler stands before Postgres. {fault}", id="hitstream.E018")
        for fault in pooler.faults()
    ]
    return found or [
        Info(
            "A pooler stands before Postgres; transactions may share sessions.",
            id="hitstream.I001",
        )
    ]


def refused(message: str) -> CheckMessage:
    text = f"Postgres cannot be used: {message}"
    return Error(text, hint=pooler.remedy(message), id="hitstream.E017")


@register(Tags.database, "hitstream")
def check_partitions(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that a week of partitions lies ahead (`check --database default`)."""
    if not asks_for(db.read_alias(), databases) or not partitions.is_installed():
        return []
    days = partitions.days_ahead()
    if days >= partitions.ALARM_DAYS:
        return []
    return [
        Warning(
            f"Partitions lie only {days} days ahead.",
            hint="Run Celery beat, or `manage.py sweep` from cron.",
            id="hitstream.W004",
        )
    ]


@register(Tags.database, "hitstream")
def check_secrets(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that the credentials of every integration and alert channel can be decrypted (`check
    --database default`, and `migrate` before it migrates)."""
    alias = db.read_alias()
    if not asks_for(alias, databases) or not is_migrated(alias):
        return []
    return [
        Error(
            f"{integration}: {error}",
            hint="Put the old key behind the new one, or enter its credentials again.",
            id="hitstream.E005",
        )
        for integration in (
            *Integration.objects.select_related("token"),
            *AlertChannel.objects.all(),
        )
        if (error := integration.key_error()) is not None
    ]


def is_migrated(alias: str) -> bool:
    """Return whether all migrations are applied."""
    loader = MigrationLoader(connections[alias])
    applied = set(loader.applied_migrations)
    return partitions.is_installed() and applied.issuperset(loader.graph.leaf_nodes("hitstream"))


def asks_for(alias: str, databases: Sequence[str] | None) -> bool:
    """Return whether this database is to be checked, and can be reached: `check_pooler` reports one
    that cannot."""
    if not databases or alias not in databases:
        return False
    try:
        connect(statement_timeout=5.0).close()
    except psycopg.Error:
        return False
    return True
