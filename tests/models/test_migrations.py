"""The migrations: what a new database gets, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from psycopg.pq import TransactionStatus

from tracking.models import AlertChannel, AlertRule, Hit, Integration, Token
from tracking.models.alerts.rule import AlertKind


def migrate(*to: str) -> None:
    """As manage.py does it: with the checks before it."""
    call_command("migrate", "hitstream", *to, skip_checks=False, verbosity=0, stdout=StringIO())


def test_they_make_what_the_models_say(transactional_db: None) -> None:
    call_command("makemigrations", check_changes=True, dry_run=True, stdout=StringIO())


@pytest.fixture
def emptied(transactional_db: None) -> Iterator[None]:
    """A database without the app's tables."""
    migrate("zero")
    yield
    migrate()


@pytest.mark.usefixtures("emptied")
def test_everything_can_be_taken_back_and_made_again() -> None:
    tables = connection.introspection.table_names()
    assert not [name for name in tables if name.startswith("hitstream_")]
    migrate()
    assert not Hit.objects.exists()
    assert not Token.objects.exists()
    assert not Integration.objects.exists()


@pytest.mark.usefixtures("emptied")
def test_a_database_gets_a_rule_of_each_kind_and_no_channel() -> None:
    migrate()
    rules = AlertRule.objects.all()
    assert sorted(rule.kind for rule in rules) == sorted(AlertKind.values)
    assert not AlertChannel.objects.exists()
    for rule in rules:
        rule.full_clean()


def test_a_process_of_an_older_version_can_still_make_a_token(transactional_db: None) -> None:
    """Its INSERT names the columns that it knows; every later column has a default in Postgres."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = 'hitstream_token' AND column_default IS NOT NULL"
        )
        with_default: set[Any] = {name for (name,) in cursor.fetchall()}
    assert {"audience", "breakdowns"} <= with_default


def test_the_migration_waits_for_no_traffic(transactional_db: None) -> None:
    """A reader of all that is there, as a dump is one, delays a second `migrate` by nothing."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=False) as reader:
        reader.execute("SELECT FROM hitstream_hit")
        reader.execute("SELECT FROM hitstream_token")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        migrate()
        assert reader.info.transaction_status == TransactionStatus.INTRANS
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
