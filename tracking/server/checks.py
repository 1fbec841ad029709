"""System checks of a server, run only by `hitstream check`: the tables and the broker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from tracking import db
from tracking.database_checks import asks_for, is_migrated
from tracking.health import broker


@register(Tags.database, "hitstream", deploy=True)
def check_migrations(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that the tables exist and have their present form."""
    alias = db.write_alias()
    if not asks_for(alias, databases) or connections[alias].vendor != "postgresql":
        return []
    if is_migrated(alias):
        return []
    return [
        Error(
            "The database lacks tables, or columns of them: migrations are not applied.",
            hint="Run `hitstream migrate` with the DATABASE_URL of the tables' owner.",
            id="hitstream.E023",
        )
    ]


@register("hitstream", deploy=True)
def check_broker(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that the broker lets this process in."""
    try:
        broker.probe()
    except Exception as error:
        return [
            Warning(
                f"The broker cannot be used: {type(error).__name__}: {error}",
                hint="Hits are stored, and wait. Start the broker, or correct the host, the user "
                "or the password in BROKER_URL.",
                id="hitstream.W010",
            )
        ]
    return []
