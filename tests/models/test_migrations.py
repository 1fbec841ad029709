"""An older database becomes a newer one with all that is in it."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from tests.integrations import add_webhook
from tracking.ingest.connection import connect
from tracking.models import AlertChannel, AlertRule, Integration, Token
from tracking.models.alertrule import Kind


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
        reader.execute("SELECT FROM tracking_hit")
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
        found: Any = connection.introspection.get_constraints(cursor, "tracking_token")
    assert any(each["unique"] and each["columns"] == ["path"] for each in found.values())


def test_a_database_gets_a_rule_of_each_kind_and_no_channel(transactional_db: None) -> None:
    migrate("0006")
    migrate()
    rules = AlertRule.objects.all()
    assert sorted(rule.kind for rule in rules) == sorted(Kind.values)
    assert not AlertChannel.objects.exists()
    for rule in rules:
        rule.full_clean()
    rules.delete()
