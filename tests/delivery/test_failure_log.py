"""The log's record of a failed request: it names the hits, and does not flood."""

import pytest

from tests.delivery.conftest import Storing
from tests.support.integrations import add_webhook
from tests.support.log import logged
from tests.support.vendor import open_vendor, reply
from tracking.delivery import failure_log
from tracking.delivery.engine import engine
from tracking.models import Attempt, Hit, Token

MESSAGE = "a request failed"


def test_a_failed_request_is_recorded(stored: Storing, token: Token) -> None:
    with open_vendor(reply(400)) as vendor, logged() as log:
        integration = add_webhook(token, vendor.url)
        stored([("h1", "u1")])
        engine.run()
    assert Attempt.objects.get().status == 400
    (record,) = log.records(MESSAGE)
    assert record["level"] == "INFO"
    assert record["hit_ids"] == [str(Hit.objects.get().pk)]
    assert (record["integration"], record["token"]) == (integration.pk, token.pk)
    assert record["status"] == 400


def test_many_failures_are_one_record(
    stored: Storing, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_vendor(reply(400)) as vendor, logged() as log:
        add_webhook(token, vendor.url)
        stored([(f"h{number}", "u") for number in range(8)])
        engine.run()
        assert Attempt.objects.count() == 8
        assert len(log.records(MESSAGE)) == 1
        monkeypatch.setattr(failure_log, "RECORD_EVERY", 0.0)
        failure_log.failure_log._due.clear()
        stored([("later", "u")])
        engine.run()
    assert "before: 7)" in log.records(MESSAGE)[1]["message"]


def test_a_success_is_not_recorded(stored: Storing, token: Token) -> None:
    with open_vendor(reply()) as vendor, logged() as log:
        add_webhook(token, vendor.url)
        stored([("h1", "u1")])
        engine.run()
    assert log.records(MESSAGE) == []
