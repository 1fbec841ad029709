"""Channels that are down, that come up again, and processes that die while they tell."""

import json
import socket
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.urls import include, path
from django.utils import timezone
from standardwebhooks import Webhook as Verifier

from tests.support.integrations import add_webhook
from tests.support.rounds import a_round, channel, pass_minutes, rule
from tests.support.vendor import Vendor, reply
from tracking.alerts.channels import email
from tracking.alerts.evaluate import evaluate
from tracking.alerts.notify import notify, notify_channel, send_test_message
from tracking.models import Alert, AlertChannel, Integration, Notification, Token

#: Of a host that has the console elsewhere.
urlpatterns = [path("ops/", include("tracking.console.urls"))]


@pytest.fixture
def paused(token: Token) -> Integration:
    rule("paused", minutes=5, calm=1)
    integration = add_webhook(token, name="Orders & <more>")
    integration.pause(reason="Broken", by="olaf")
    pass_minutes(10)
    return integration


def test_slack_gets_one_message_that_calls_nobody(paused: Integration, vendor: Vendor) -> None:
    channel("slack", webhook_url=vendor.url)
    a_round()
    a_round()
    (received,) = vendor.received
    text = received.json["text"]
    assert ":red_circle: *New:*" in text
    assert "Orders &amp; &lt;more&gt;" in text


def test_slack_is_told_how_many_it_has_no_room_for(
    token: Token, vendor: Vendor, settings: Any
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "PUBLIC_URL": "https://hits.example"}
    rule("paused", minutes=5)
    for number in range(60):
        add_webhook(token, name=f"Number {number}").pause(reason="&" * 200)
    pass_minutes(10)
    channel("slack", webhook_url=vendor.url)
    a_round()
    text = vendor.received[0].json["text"]
    assert len(text) <= 3000
    *told, rest = text.splitlines()
    assert rest == f"… and {60 - len(told)} more: https://hits.example/console/alerts/"


def test_what_is_silenced_while_a_channel_is_down_is_not_told_then(
    paused: Integration, vendor: Vendor
) -> None:
    vendor.answer = reply(500)
    channel("slack", webhook_url=vendor.url)
    a_round()
    vendor.answer = reply()
    until = timezone.now() + timedelta(hours=1)
    Alert.objects.get().silence(until=until, reason="Known", by="olaf")
    pass_minutes(30)
    a_round()
    assert len(vendor.received) == 1
    pass_minutes(31)
    a_round()
    a_round()
    assert len(vendor.received) == 2
    assert "New" in vendor.received[1].json["text"]
    assert "Still" not in vendor.received[1].json["text"]


def test_a_webhook_gets_a_signed_message(paused: Integration, vendor: Vendor) -> None:
    made = channel("webhook", url=vendor.url)
    a_round()
    (received,) = vendor.received
    said = Verifier(made.issued["signing_secret"]).verify(received.body, received.headers)
    assert said == received.json
    (alert,) = said["data"]["alerts"]
    assert (alert["state"], alert["kind"], alert["token"]) == ("opened", "paused", "shop")
    assert alert["integration"] == "Orders & <more>"
    assert alert["resolvedAt"] is None


def test_a_channel_that_is_down_is_tried_again_later_and_says_so(
    paused: Integration, vendor: Vendor
) -> None:
    vendor.answer = reply(500, b"out of order")
    made = channel("webhook", url=vendor.url)
    a_round()
    a_round()
    assert len(vendor.received) == 1
    made.refresh_from_db()
    assert "out of order" in made.error
    notice = Notification.objects.get()
    assert (notice.attempts, notice.sent_at) == (1, None)
    pass_minutes(1)
    a_round()
    pass_minutes(1)
    a_round()
    ids = {received.headers["webhook-id"] for received in vendor.received}
    assert (len(vendor.received), len(ids)) == (3, 1)
    vendor.answer = reply()
    pass_minutes(20)
    a_round()
    made.refresh_from_db()
    assert (made.error, made.failures) == ("", 0)
    assert Notification.objects.get().sent_at is not None
    pass_minutes(60)
    a_round()
    assert len(vendor.received) == 4


def test_one_channel_that_is_down_holds_up_no_other(
    paused: Integration, vendor: Vendor, mailoutbox: Any
) -> None:
    vendor.answer = reply(500)
    channel("slack", "A", webhook_url=vendor.url)
    channel("email", "B", to="ops@example.com")
    a_round()
    assert len(mailoutbox) == 1


def test_opened_and_over_while_it_was_down_come_in_one_message(
    paused: Integration, vendor: Vendor
) -> None:
    vendor.answer = reply(500)
    channel("webhook", url=vendor.url)
    a_round()
    paused.resume()
    evaluate()
    pass_minutes(2)
    a_round()
    vendor.answer = reply()
    pass_minutes(20)
    a_round()
    said = json.loads(vendor.received[-1].body)
    assert [alert["state"] for alert in said["data"]["alerts"]] == ["opened", "resolved"]


def test_what_was_claimed_by_a_process_that_died_is_told_when_its_lease_is_over(
    paused: Integration, vendor: Vendor
) -> None:
    made = channel("webhook", url=vendor.url)
    evaluate()
    Notification.objects.enqueue()
    assert len(Notification.objects.claim(made)) == 1  # And then it dies.
    notify()
    assert vendor.received == []
    pass_minutes(2)
    notify()
    notify()
    assert len(vendor.received) == 1


def test_a_disabled_channel_is_told_nothing(paused: Integration, vendor: Vendor) -> None:
    channel("webhook", url=vendor.url)
    AlertChannel.objects.update(enabled=False)
    a_round()
    assert vendor.received == []


def test_what_could_not_be_told_a_hundred_times_is_given_up(
    paused: Integration, vendor: Vendor
) -> None:
    vendor.answer = reply(500)
    channel("webhook", url=vendor.url)
    a_round()
    Notification.objects.update(attempts=99)
    pass_minutes(20)
    a_round()
    pass_minutes(1000)
    a_round()
    assert len(vendor.received) == 2
    assert Notification.objects.get().next_at is None


def test_a_private_address_is_not_called(settings: Any, vendor: Vendor, token: Token) -> None:
    made = channel("slack", webhook_url=vendor.url)
    settings.HITSTREAM = {**settings.HITSTREAM, "ALLOW_PRIVATE_DESTINATIONS": False}
    verdict = send_test_message(made)
    assert not verdict.works
    assert "cannot be called" in verdict.message
    assert vendor.connections == 0


def test_a_test_says_what_came_back(token: Token, vendor: Vendor) -> None:
    made = channel("slack", webhook_url=f"{vendor.url}/very-secret")
    assert send_test_message(made).works
    assert "a test" in vendor.received[0].json["text"]
    vendor.answer = reply(404, b"no_team")
    verdict = send_test_message(made)
    assert not verdict.works
    assert "no_team" in verdict.message
    assert "very-secret" not in f"{verdict.message}{verdict.said}"


def test_a_mail_server_that_is_down_is_an_answer(settings: Any, token: Token) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    verdict = send_test_message(channel("email", to="ops@example.com"))
    assert not verdict.works
    assert "could not be sent" in verdict.message


@pytest.mark.parametrize(
    ("urls", "told"),
    [(__name__, "\n\nhttps://hits.example/ops/alerts/\n"), ("tracking.urls", "UTC\n")],
)
def test_a_mail_leads_to_the_console_where_the_host_has_it(
    paused: Integration, settings: Any, mailoutbox: Any, urls: str, told: str
) -> None:
    settings.ROOT_URLCONF = urls
    settings.HITSTREAM = {**settings.HITSTREAM, "PUBLIC_URL": "https://hits.example"}
    channel("email", to="ops@example.com")
    a_round()
    (mail,) = mailoutbox
    assert mail.body.endswith(told)


def test_a_mail_server_that_says_nothing_is_left_alone_after_a_while(
    settings: Any, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "TIMEOUT", 0.2)
    answered = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0]:
                answered.wait(5)

        thread = threading.Thread(target=serve)
        thread.start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        settings.EMAIL_TIMEOUT = None
        verdict = send_test_message(channel("email", to="ops@example.com"))
        answered.set()
        thread.join()
    assert "timed out" in verdict.message


@pytest.mark.parametrize("status", [200, 500])
def test_a_channel_that_is_deleted_while_it_is_told_holds_up_no_other(
    paused: Integration, vendor: Vendor, status: int
) -> None:
    vendor.answer = reply(status)
    made = channel("slack", webhook_url=vendor.url)
    evaluate()
    Notification.objects.enqueue()
    notices = Notification.objects.claim(made)
    AlertChannel.objects.filter(pk=made.pk).delete()
    notify_channel(made, notices)
    assert len(vendor.received) == 1
    assert not AlertChannel.objects.exists()
