"""A message to a channel is English, as the alerts are stored; the answer to a test is not."""

import json
from pathlib import Path

from django.utils import translation

from tests.support.catalogue import language_of
from tests.support.integrations import add_webhook
from tests.support.rounds import a_round, channel, pass_minutes, rule
from tests.support.vendor import Vendor
from tracking.alerts.evaluate import evaluate
from tracking.alerts.notify import send_test_message
from tracking.models import Token

ANSWER = "The mail server took it for %(addresses)s."


def test_a_message_is_english_in_every_language(token: Token, vendor: Vendor) -> None:
    rule("paused", minutes=5, calm=1)
    integration = add_webhook(token, name="Orders")
    channel("webhook", url=vendor.url)
    with translation.override("de"):
        integration.pause(reason="Broken", by="olaf")
        pass_minutes(10)
        a_round()
        integration.resume()
        evaluate()
        pass_minutes(2)
        a_round()
    opened, resolved = (json.loads(each.body)["data"]["title"] for each in vendor.received)
    assert opened.startswith("Hitstream: new: Orders (shop): ")
    assert resolved.endswith("open for 2 minutes")


def test_the_answer_to_a_test_is_in_the_language_of_the_page(token: Token, tmp_path: Path) -> None:
    made = channel("email", to="ops@example.com")
    with language_of(tmp_path, {ANSWER: "Angenommen für %(addresses)s."}):
        assert send_test_message(made).message == "Angenommen für ops@example.com."
