"""What a form says is translated, also where another process has found it; what a worker stores is
not."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.catalogue import language_of
from tracking.admin.integration_form import form_for
from tracking.admin.mapping_form import MappingForm
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.contract.destination import Destination
from tracking.destinations.mapping.evaluator import ExpressionRefusedError, evaluator
from tracking.destinations.transport.http import Client
from tracking.destinations.vendors.clickhouse.config import DDL, ClickHouseConfig
from tracking.destinations.vendors.object_storage.config import ObjectStorageConfig
from tracking.destinations.vendors.webhook.destination import Webhook
from tracking.models.access.scope import Scope

MESSAGES = {
    "URL": "Adresse",
    "Local folder": "Ordner",
    "An account has 3 to 24 lower-case letters and digits.": "Kein Konto.",
    "Create it by {ddl} and GRANT INSERT on it to the user.": "Anlegen: {ddl}",
    "Undefined variable %(name)s: use %(names)s.": "%(name)s fehlt: %(names)s.",
    "%(destination)s cannot be tested without sending a hit.": "%(destination)s: kein Test.",
}


class Untested(Webhook):
    async def verify(self, client: Client) -> str:
        raise NotImplementedError


def test_a_form_speaks_the_language_of_its_reader(tmp_path: Path) -> None:
    with language_of(tmp_path, MESSAGES):
        form = form_for(Webhook, Scope(None))
        assert str(form.base_fields["config-url"].label) == "Adresse"
        assert str(ClickHouseConfig.base_fields["table"].help_text) == f"Anlegen: {DDL}"
        service: Any = ObjectStorageConfig.base_fields["service"]
        assert {slug: str(name) for slug, name in service.choices}["local"] == "Ordner"
        bad = ObjectStorageConfig({"service": "azure", "access_key": "A", "secret_key": "s"})
        assert bad.errors["access_key"] == ["Kein Konto."]
    assert str(ClickHouseConfig.base_fields["table"].label) == "Table"


def test_an_expression_is_refused_in_the_language_of_the_form(tmp_path: Path) -> None:
    with language_of(tmp_path, MESSAGES):
        form = MappingForm({"condition": "nothing > 1"})
        assert str(form.errors["condition"][0]).startswith("'nothing' fehlt: anonymousId,")
        with pytest.raises(ExpressionRefusedError, match="Undefined variable 'nothing': use"):
            evaluator.evaluate("nothing > 1", [], [{}])


def test_a_connection_test_answers_in_the_language_of_the_page(tmp_path: Path) -> None:
    destination: Destination = Untested({"url": "https://example.com", "timeout": 1})
    with language_of(tmp_path, MESSAGES):
        assert check_connection(destination).message == "Webhook: kein Test."
