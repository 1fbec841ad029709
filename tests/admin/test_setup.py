"""A new integration in steps: choose, fill in what is required, test, save, send a test event."""

import re

import pytest
from django.test import Client

from tests.support.people import viewer
from tests.support.vendor import open_vendor, reply
from tracking.destinations.contract import registry
from tracking.destinations.contract.categories import CATEGORIES
from tracking.durations import format_duration, parse_duration
from tracking.models import Integration, Token

pytestmark = pytest.mark.django_db(transaction=True)
ADD = "/admin/hitstream/integration/add/"
WEBHOOK = f"{ADD}?destination=webhook"


def form_of(token: Token, url: str, **changes: str) -> dict[str, str]:
    numbers = {"concurrency": "16", "max_attempts": "15", "max_age": "2 days", "retry_base": "30 s"}
    return {"token": str(token.pk), "name": "Orders", "config-url": url, **numbers, **changes}


def test_a_destination_is_found_by_what_it_does(operator: Client) -> None:
    text = operator.get(ADD, {"q": "broker rabbit"}).content.decode()
    assert "destination=amqp" in text
    assert "destination=slack" not in text
    for each in registry.all_destinations():
        assert each.category in CATEGORIES
        assert each.summary


def test_a_name_is_ready_and_everything_that_may_stay_is_folded(
    operator: Client, token: Token
) -> None:
    assert 'value="Webhook"' in operator.get(WEBHOOK).content.decode()
    Integration.objects.create(token=token, name="Webhook", destination="webhook")
    text = operator.get(WEBHOOK).content.decode()
    assert 'value="Webhook 2"' in text
    assert text.count("<details><summary>") == 4
    for each in ("all events", "16 at once", "15 attempts in 7 days", "Timeout: 10 s"):
        assert each in text, each


def test_typed_values_are_tried_and_nothing_is_saved(operator: Client, token: Token) -> None:
    with open_vendor(reply(200)) as vendor:
        form = form_of(token, vendor.url, name="")
        works = operator.post(WEBHOOK, {**form, "_test": "part"}).content.decode()
    # The vendor is gone.
    fails = operator.post(WEBHOOK, {**form, "_test": "page"}).content.decode()
    assert "It answered 200" in works
    assert "<html" not in works
    assert "does not work" in fails
    assert f'value="{form["config-url"]}"' in fails
    assert (
        "Enter a complete URL"
        in operator.post(WEBHOOK, form_of(token, "nowhere", _test="part")).content.decode()
    )
    assert not Integration.objects.exists()


def test_who_may_not_save_may_not_try(token: Token) -> None:
    client = Client()
    client.force_login(viewer())
    form = form_of(token, "https://example.com", _test="part")
    assert client.post(WEBHOOK, form).status_code == 403


def test_a_saved_integration_offers_a_test_event(operator: Client, token: Token) -> None:
    answer = operator.post(WEBHOOK, form_of(token, "https://example.com/hook"))
    made = Integration.objects.get()
    assert (made.max_age, made.retry_base) == (172_800, 30.0)
    text = answer.content.decode()
    assert made.secrets.open()["signing_secret"] in text
    assert f"/console/integrations/{made.pk}/test-event/" in text


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("7 days", 604_800, "7 days"),
        ("30", 30, "30 s"),
        ("1 h 30 min", 5_400, "90 min"),
        ("250ms", 0.25, "250 ms"),
    ],
)
def test_a_duration_is_read_in_words_or_seconds(text: str, seconds: float, shown: str) -> None:
    assert parse_duration(text) == seconds
    assert format_duration(seconds) == shown


@pytest.mark.parametrize("text", ["soon", "7 dogs", "-3"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        parse_duration(text)
