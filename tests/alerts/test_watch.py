"""An alert opens once, is told once, and is over once: whatever comes and goes in between."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.support.integrations import add_webhook
from tests.support.rounds import a_round, channel, pass_minutes, rule
from tracking.ingest.write.connection import connect
from tracking.models import Alert, Integration, Notification, Token


@pytest.fixture
def paused(token: Token) -> Integration:
    """An integration that has been paused for ten minutes, and a rule that minds it."""
    rule("paused", minutes=5, calm=10)
    channel("email", to="ops@example.com")
    integration = add_webhook(token, name="Orders")
    integration.pause(reason="The vendor migrates", by="olaf")
    pass_minutes(10)
    return integration


def test_it_is_told_once_that_it_opened_and_once_that_it_is_over(
    paused: Integration, mailoutbox: Any
) -> None:
    for _ in range(3):
        a_round()
    (mail,) = mailoutbox
    assert mail.to == ["ops@example.com"]
    assert "Orders" in mail.subject
    assert "The vendor migrates" in mail.body
    paused.resume()
    a_round()
    assert len(mailoutbox) == 1
    pass_minutes(11)
    for _ in range(3):
        a_round()
    assert len(mailoutbox) == 2
    assert "RESOLVED" in mailoutbox[1].body
    assert Alert.objects.get().resolved_at is not None


def test_what_comes_and_goes_is_one_alert(paused: Integration, mailoutbox: Any) -> None:
    a_round()
    for _ in range(4):
        paused.resume()
        a_round()
        pass_minutes(6)
        a_round()
        paused.pause(reason="Again")
        pass_minutes(6)
        a_round()
    assert Alert.objects.count() == len(mailoutbox) == 1
    assert Alert.objects.get().fine_since is None


def test_after_it_was_over_it_is_told_anew(paused: Integration, mailoutbox: Any) -> None:
    a_round()
    paused.resume()
    a_round()
    pass_minutes(11)
    a_round()
    paused.pause()
    pass_minutes(6)
    a_round()
    assert len(mailoutbox) == 3
    assert Alert.objects.open().count() == 1


def test_what_opens_in_one_round_is_one_message(token: Token, mailoutbox: Any) -> None:
    rule("paused", minutes=1)
    channel("email", to="ops@example.com")
    for name in ("Orders", "Carts", "Mails"):
        add_webhook(token, name=name).pause()
    pass_minutes(2)
    a_round()
    (mail,) = mailoutbox
    assert "3 alerts" in mail.subject
    assert all(name in mail.body for name in ("Orders", "Carts", "Mails"))


def test_a_channel_that_comes_later_is_told_what_is_open(
    paused: Integration, mailoutbox: Any
) -> None:
    a_round()
    channel("email", "Bosses", to="boss@example.com")
    a_round()
    assert [mail.to for mail in mailoutbox] == [["ops@example.com"], ["boss@example.com"]]


def test_a_rule_with_channels_tells_no_others(token: Token, mailoutbox: Any) -> None:
    channel("email", "Everybody", to="all@example.com")
    chosen = channel("email", "Chosen", to="one@example.com")
    rule("paused", minutes=1).channels.add(chosen)
    add_webhook(token).pause()
    pass_minutes(2)
    a_round()
    assert [mail.to for mail in mailoutbox] == [["one@example.com"]]


def test_a_silence_tells_nobody_and_then_once_more(paused: Integration, mailoutbox: Any) -> None:
    a_round()
    alert = Alert.objects.get()
    alert.silence(until=timezone.now() + timedelta(hours=1), reason="Known", by="olaf")
    for _ in range(2):
        a_round()
    assert len(mailoutbox) == 1
    pass_minutes(61)
    for _ in range(2):
        a_round()
    assert len(mailoutbox) == 2
    assert "STILL OPEN" in mailoutbox[1].body


def test_a_silence_outlasts_the_alert(paused: Integration, mailoutbox: Any) -> None:
    a_round()
    until = timezone.now() + timedelta(hours=4)
    Alert.objects.get().silence(until=until, reason="Known", by="olaf")
    paused.resume()
    a_round()
    pass_minutes(11)
    a_round()
    paused.pause()
    pass_minutes(6)
    a_round()
    assert Alert.objects.open().get().is_silent
    assert len(mailoutbox) == 1


def test_what_opened_in_a_silence_is_told_once_when_that_is_over(
    paused: Integration, mailoutbox: Any
) -> None:
    a_round()
    until = timezone.now() + timedelta(hours=1)
    Alert.objects.get().silence(until=until, reason="Known", by="olaf")
    paused.resume()
    a_round()
    pass_minutes(11)
    paused.pause()
    a_round()
    pass_minutes(6)
    a_round()
    assert len(mailoutbox) == 1
    pass_minutes(60)
    for _ in range(2):
        a_round()
    told = "".join(mail.body for mail in mailoutbox)
    assert (told.count("NEW"), told.count("RESOLVED"), told.count("STILL OPEN")) == (2, 1, 0)


def test_a_channel_that_comes_after_a_silence_is_told_once(
    paused: Integration, mailoutbox: Any
) -> None:
    a_round()
    until = timezone.now() + timedelta(hours=1)
    Alert.objects.get().silence(until=until, reason="Known", by="olaf")
    pass_minutes(61)
    a_round()
    channel("email", "Bosses", to="boss@example.com")
    for _ in range(2):
        a_round()
    (mail,) = (mail for mail in mailoutbox if mail.to == ["boss@example.com"])
    assert mail.body.startswith("NEW")
    assert "STILL" not in mail.body


def test_a_rule_that_cannot_be_looked_at_stops_no_other(
    paused: Integration, mailoutbox: Any
) -> None:
    """Of the table of what is queued it gets no lock in time, as it would run into a timeout."""
    rule("backlog", minutes=5)
    with connect() as other, other.transaction():
        other.execute("LOCK TABLE hitstream_queue IN ACCESS EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 50")
        try:
            a_round()
        finally:
            connection.close()
    (mail,) = mailoutbox
    assert "The vendor migrates" in mail.body


def test_a_rule_that_is_switched_off_has_no_open_alert(paused: Integration) -> None:
    a_round()
    found = Alert.objects.get().rule
    found.enabled = False
    found.save()
    a_round()
    assert not Alert.objects.open().exists()


def test_what_was_over_long_ago_is_forgotten(paused: Integration) -> None:
    a_round()
    Alert.objects.update(resolved_at=timezone.now() - timedelta(days=91))
    paused.resume()
    a_round()
    assert not Alert.objects.exists()
    assert not Notification.objects.exists()


def test_a_resolved_alert_says_what_is_over_and_no_number_that_is_old(
    token: Token, mailoutbox: Any
) -> None:
    rule("rate", threshold=90, minutes=10, calm=5)
    channel("email", to="ops@example.com")
    integration = add_webhook(token, name="Orders")
    failing = Integration.objects.filter(pk=integration.pk)
    failing.update(consecutive_failures=7, failure_message="broken")
    a_round()
    failing.update(consecutive_failures=0)
    pass_minutes(20)
    a_round()
    pass_minutes(6)
    a_round()
    opened, resolved = mailoutbox
    assert "7 requests in a row failed" in opened.body
    assert resolved.subject == (
        "Hitstream: resolved: Deliveries fail: Orders (shop), open for 26 minutes"
    )
    assert "in a row" not in resolved.body


def test_a_channel_that_comes_later_is_not_told_what_is_fine_by_now(
    paused: Integration, mailoutbox: Any
) -> None:
    a_round()
    paused.resume()
    a_round()
    channel("email", "Bosses", to="boss@example.com")
    a_round()
    assert [mail.to for mail in mailoutbox] == [["ops@example.com"]]
    paused.pause()
    pass_minutes(6)
    a_round()
    assert [mail.to for mail in mailoutbox[1:]] == [["boss@example.com"]]
