"""The reset of the database after a test that commits.

Django truncates each table with its indexes and makes all content types and permissions again,
60 to 100 ms a test. Here one statement deletes the rows of the tables that have any, and restores
what the migrations insert: content types, permissions, groups and alert rules.

Sequences keep their values.
"""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.test import TransactionTestCase

from tracking import process

#: Tables whose rows come from migrations, a referenced table before those that refer to it.
KEPT = [
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
    "hitstream_alertrule",
]

#: Copies of the kept tables as the migrations left them.
REMEMBER = "CREATE SCHEMA tests_migrated;" + "".join(
    f"CREATE TABLE tests_migrated.{table} AS TABLE public.{table};" for table in KEPT
)

RESET = f"""
    DO $$
    DECLARE
        tab regclass;
        kept text;
        has_rows boolean;
    BEGIN
        -- Neither foreign keys nor triggers act: the order of the tables does not matter.
        PERFORM set_config('session_replication_role', 'replica', true);
        FOR tab IN
            SELECT oid FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                AND NOT relispartition AND relname <> 'django_migrations'
                AND relname <> ALL ('{{{",".join(KEPT)}}}')
        LOOP
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', tab) INTO has_rows;
            IF has_rows THEN
                EXECUTE format('DELETE FROM %s', tab);
            END IF;
        END LOOP;
        FOREACH kept IN ARRAY '{{{",".join(KEPT)}}}'::text[] LOOP
            EXECUTE format(
                'SELECT EXISTS ((TABLE public.%1$I EXCEPT TABLE tests_migrated.%1$I) UNION ALL'
                ' (TABLE tests_migrated.%1$I EXCEPT TABLE public.%1$I))', kept
            ) INTO has_rows;
            IF has_rows THEN
                EXECUTE format('DELETE FROM public.%I', kept);
                EXECUTE format('INSERT INTO public.%1$I TABLE tests_migrated.%1$I', kept);
            END IF;
        END LOOP;
    END $$
"""


def remember() -> None:
    """Copy the rows that the migrations inserted; called once, before the first test."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS tests_migrated CASCADE")
        cursor.execute(REMEMBER)


def clear(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Bring the database back to what the migrations made of it."""
    with connections[alias].cursor() as cursor:
        cursor.execute(RESET)


def teardown(test: Any) -> None:
    """Clear each database of the test, after what threads of the test still write to it."""
    process.forget()
    for alias in test._databases_names(include_mirrors=False):
        clear(alias)


def install() -> None:
    """Clear the databases in place of the flush that ends each test of a TransactionTestCase."""
    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]
