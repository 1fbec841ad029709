"""An older database becomes a newer one with all that is in it."""

import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations import recorder
from django.db.migrations.loader import MigrationLoader

from tests.integrations import add_webhook
from tracking.ingest.write.connection import connect
from tracking.models import AlertChannel, AlertRule, Integration, Token
from tracking.models.alerts.rule import AlertKind


def migrate(*to: str) -> None:
    """As manage.py does it: with the checks before it."""
    call_command("migrate", "tracking", *to, skip_checks=False, verbosity=0, stdout=StringIO())


@pytest.fixture
def third(transactional_db: None) -> Iterator[None]:
    """The tables as the third migration left them, with what three tokens had."""
    for name in ("shop", "blog", "app"):
        add_webhook(Token.objects.issue(name)[0])
    migrate("0003")
    yield
    migrate()


@pytest.mark.usefixtures("third")
def test_behind_a_long_reader_it_fails_and_ingest_goes_on() -> None:
    with connect() as reader, reader.transaction():
        reader.execute("SELECT FROM hitstream_hit")
        with pytest.raises(OperationalError, match="lock timeout"):
            migrate()
    migrate()


@pytest.mark.usefixtures("third")
def test_every_token_of_an_older_database_gets_a_path_of_its_own() -> None:
    migrate()
    tokens = Token.objects.all()
    assert {(token.ip_policy, tuple(token.origins)) for token in tokens} == {("keep", ())}
    assert len({token.path for token in tokens}) == 3
    assert Integration.objects.count() == 3
    with connection.cursor() as cursor:
        found: Any = connection.introspection.get_constraints(cursor, "hitstream_token")
    assert any(each["unique"] and each["columns"] == ["path"] for each in found.values())


def test_a_database_gets_a_rule_of_each_kind_and_no_channel(transactional_db: None) -> None:
    migrate("0006")
    migrate()
    rules = AlertRule.objects.all()
    assert sorted(rule.kind for rule in rules) == sorted(AlertKind.values)
    assert not AlertChannel.objects.exists()
    for rule in rules:
        rule.full_clean()
    rules.delete()


@pytest.mark.parametrize("before", ["0005", "0006", "0007"])
def test_behind_a_long_reader_of_tokens_it_fails_and_ingest_goes_on(
    transactional_db: None, before: str
) -> None:
    migrate(before)
    with connect() as reader, reader.transaction():
        reader.execute("SELECT FROM hitstream_token")
        with pytest.raises(OperationalError, match="lock timeout"):
            migrate()
    migrate()
    AlertRule.objects.all().delete()


def test_no_index_of_a_queue_is_made_while_nobody_may_write_to_it(transactional_db: None) -> None:
    made = []
    for name in sorted(recorder.MigrationRecorder(connection).applied_migrations()):
        if name[0] == "tracking" and name[1] > "0005":
            out = StringIO()
            call_command("sqlmigrate", *name, stdout=out)
            made += re.findall(r'CREATE INDEX (.*)"tracking_\w+" ON "(\w+)"', out.getvalue())
    queues = {"hitstream_queue", "hitstream_deadletter"}
    assert {how for how, table in made if table in queues} == {"CONCURRENTLY "}
    assert queues < {table for _, table in made}


def test_a_process_of_the_version_before_can_still_make_a_token(transactional_db: None) -> None:
    """Its INSERT names the columns that it knows."""
    old = MigrationLoader(connection).project_state(("tracking", "0005_mapping")).apps
    made = old.get_model("hitstream", "Token").objects.create(
        name="shop", prefix="hs_x", digest=b"x"
    )
    assert Token.objects.get(pk=made.pk).audience == []
