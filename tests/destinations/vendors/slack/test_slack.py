"""What a hit says becomes a message, and nothing in it becomes anything else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.destinations.samples import SALE, SAMPLES
from tests.support.vendor import Vendor, reply
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.transport.recorder import Recorder
from tracking.destinations.vendors.slack.config import TEXT_LIMIT, SlackConfig
from tracking.destinations.vendors.slack.destination import VALUE_LIMIT, Slack, render
from tracking.events import Event

URL = "https://hooks.slack.com/services/T0/B0/secret"


def text(template: str, event: Event = SALE) -> str:
    slack = Slack({"webhook_url": URL, "template": template})
    told: str = json.loads(slack.request([event]).body)["text"]
    return told


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{name}", "Completed Transaction"),
        ("{type} {user} {user_id} {anonymous_id} {hit_id}", "track u1 u1 a1 order-1"),
        ("{time}", "2026-11-24T10:56:10+00:00"),
        ("{properties.transaction.total} {properties.transaction.currency}", "185 USD"),
        ("{properties.transaction.lineItems.1.product.name}", "Laces"),
        ("{properties.transaction.lineItems.9.product.name}!", "!"),
        ("{properties.transaction.vouchers}", '["AUTUMN"]'),
        ("{properties.transaction.isFirst}", "true"),
        ("{properties.nothing.there} {traits.firstName}", " John"),
        ("{context.page.title} {", "Thanks {"),
    ],
)
def test_a_place_shows_what_the_hit_says(template: str, told: str) -> None:
    assert text(template) == told


def test_segment_s_shape_is_read_too() -> None:
    assert text("{properties.title} {user}", SAMPLES["page"]) == "Boots - Shop a1"
    assert text("{traits.plan}", SAMPLES["identify"]) == "pro"


def test_values_are_escaped_and_never_read_again() -> None:
    evil = replace(SALE, name="<!channel> & {user_id} {0.__class__}")
    assert text("{name}", evil) == "&lt;!channel&gt; &amp; {user_id} {0.__class__}"


def test_long_values_and_messages_are_cut() -> None:
    long = replace(SALE, name="x" * 5_000)
    assert text("{name}", long) == "x" * (VALUE_LIMIT - 1) + "…"
    assert len(render("{name}" * 50, long)) == TEXT_LIMIT


@pytest.mark.parametrize(
    "template", ["{nothing}", "{properties}", "{event.id}", "{name.__class__}", "{}", "{0}"]
)
def test_a_place_that_is_not_there_is_refused(template: str) -> None:
    assert "template" in SlackConfig({"webhook_url": URL, "template": template}).errors


def test_a_message_that_would_be_empty_is_skipped() -> None:
    slack = Slack({"webhook_url": "https://hooks.example/x", "template": "{properties.nothing} "})
    assert "empty" in slack.skip(SALE)


def test_a_url_with_a_query_is_masked_as_a_whole() -> None:
    slack = Slack({"webhook_url": "https://hooks.example/T0/credential?token=abc&x=1"})
    assert "credential" not in Recorder(slack.request([SALE])).url


def test_the_url_is_a_secret() -> None:
    form = SlackConfig({"webhook_url": URL})
    assert form.is_valid()
    plain, secrets = form.split()
    assert secrets == {"webhook_url": URL}
    assert "webhook_url" not in plain
    assert "webhook_url" in SlackConfig({"webhook_url": "ftp://x"}).errors


@pytest.mark.parametrize(
    ("status", "said"),
    [(400, b"no_text"), (500, b"missing_text_or_fallback_or_attachments")],
)
def test_verify_posts_nothing(vendor: Vendor, status: int, said: bytes) -> None:
    vendor.answer = reply(status, said)
    assert check_connection(Slack({"webhook_url": vendor.url})).message == (
        "The webhook exists. Nothing was posted."
    )
    assert vendor.received[0].json == {"text": ""}
    vendor.answer = reply(404, b"no_service")
    verdict = check_connection(Slack({"webhook_url": vendor.url}))
    assert not verdict.works
    assert "no_service" in verdict.message
