"""The operator's verbs as commands."""

import io
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.ledger import assert_exact
from tests.support.operations import let_die, post, replay
from tracking.models import DeadLetter, Integration, Operation, QueuedDelivery, Token

pytestmark = pytest.mark.usefixtures("no_lag")


def call(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: text)


def test_a_replay_says_asks_and_does(
    send: Send, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_die(send, integration, "A", "B")
    answer(monkeypatch, "y")
    said = call("replay", "shop/Orders")
    assert "Dead letters to replay: 2" in said
    assert f"POST {integration.config['url']}" in said
    assert said.endswith("2 of 2 done.\n")
    assert (QueuedDelivery.objects.count(), DeadLetter.objects.count()) == (2, 0)
    operation = Operation.objects.get()
    assert (operation.state, operation.requested_by) == ("finished", "manage.py replay")
    assert_exact(integration)


def test_nothing_is_done_unless_it_is_meant(
    send: Send, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_die(send, integration, "A")
    for text in ("", "n", "what?"):
        answer(monkeypatch, text)
        assert "Nothing was done." in call("replay", str(integration.pk))
    assert "Dead letters to replay: 1" in call("replay", str(integration.pk), "--dry-run", "--yes")
    assert DeadLetter.objects.count() == 1
    assert not Operation.objects.exists()


def test_a_replay_takes_criteria(send: Send, integration: Integration) -> None:
    let_die(send, integration, "A", "B", "C")
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    for nothing in (("--since", later), ("--code", "too_old"), ("--message", "other")):
        assert "Dead letters to replay: 0" in call("replay", "shop/Orders", "--yes", *nothing)
    some = ("--until", later, "--code", "permanent", "--message", "no such", "--event", "B")
    assert "1 of 1 done" in call("replay", "shop/Orders", "--yes", *some)
    assert_exact(integration)


def test_a_backfill_owes_the_past(send: Send, token: Token) -> None:
    post(send, "A", "B")
    integration = add_webhook(token)
    began = timezone.now()
    assert "Hits to queue: 0" in call("backfill", "shop/Webhook", "--since", began.isoformat())
    assert "2 of 2 done" in call("backfill", "shop/Webhook", "--yes", "--rate", "1000")
    assert QueuedDelivery.objects.count() == 2
    assert_exact(integration)


def test_ctrl_c_stops_between_chunks_and_says_how_far(
    send: Send, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_die(send, integration, "A", "B", "C")

    def interrupt(seconds: float) -> None:
        """Ctrl-C reaches the command, and no thread that sleeps meanwhile."""
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt

    monkeypatch.setattr("tracking.management.operation_command.time.sleep", interrupt)
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"Stopped by Ctrl-C\."):
        call_command("replay", "shop/Orders", "--yes", "--rate", "1", stdout=out)
    assert out.getvalue().endswith("1 of 3 done.\n")
    assert Operation.objects.get().state == "stopped"
    assert (QueuedDelivery.objects.count(), DeadLetter.objects.count()) == (1, 2)
    assert_exact(integration)


def test_pause_resume_and_drain(send: Send, integration: Integration) -> None:
    post(send, "A", "B")
    call("pause", "shop/Orders", "--reason", "no", "--dry-run")
    assert Integration.objects.running().exists()
    said = call("pause", "shop/Orders", "--reason", "their migration", "--yes")
    assert "Hits held back so far: 2" in said
    assert "is paused by manage.py pause: their migration" in said
    assert not Integration.objects.running().exists()
    assert "Hits to send: 2" in call("resume", "shop/Orders", "--yes", "--rate", "7")
    integration.refresh_from_db()
    assert (integration.paused_at, integration.rate_limit) == (None, 7)
    assert "Hits still to be sent: 2" in call("drain", "shop/Orders", "--yes")
    integration.refresh_from_db()
    assert (integration.enabled, integration.draining) == (False, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", "nobody/Webhook"),
        ("replay", "999"),
        ("backfill", "shop"),
        ("replay", "shop/Orders", "--rate", "0"),
        ("resume", "shop/Orders", "--rate", "-1"),
        ("replay", "shop/Orders", "--since", "yesterday"),
        ("pause", "shop/Orders"),
    ],
)
def test_what_cannot_be_done_is_said(integration: Integration, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call(*arguments)


def test_two_of_one_path_are_told_apart_by_id(token: Token) -> None:
    add_webhook(token, name="a/b")
    other, _ = Token.objects.issue("shop/a")
    add_webhook(other, name="b")
    with pytest.raises(CommandError, match="give the id"):
        call("drain", "shop/a/b", "--yes")


def test_a_deleted_ones_name_is_free_for_the_commands(integration: Integration) -> None:
    integration.mark_deleted(by="anna")
    with pytest.raises(CommandError, match="no integration"):
        call("replay", "shop/Orders", "--yes")
    config = '{"url": "https://a.example"}'
    assert "id: " in call("add_integration", "shop", "webhook", "--config", config)
    integration.token.mark_deleted(by="anna")
    assert "name: shop" in call("issue_token", "shop")


def test_a_sweep_without_a_worker_carries_out_what_was_asked_for(
    send: Send, integration: Integration
) -> None:
    let_die(send, integration, "A")
    call("replay", "shop/Orders", "--yes")
    let_die(send, integration)
    replay(integration)
    call("sweep", "--deliver")
    assert Operation.objects.filter(state="finished").count() == 2


def test_without_a_terminal_a_command_says_that_it_has_done_nothing(
    token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = add_webhook(token)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="Nothing was done: nobody answers here"):
        call_command("pause", str(integration.pk), reason="so", stdout=io.StringIO())
    integration.refresh_from_db()
    assert integration.paused_at is None
