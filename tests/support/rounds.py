"""Rounds of looking and telling, and time that passes between them."""

from datetime import timedelta
from typing import Any

from django.db.models import F

from tracking.alerts.channels.registry import CHANNELS
from tracking.alerts.evaluate import evaluate
from tracking.alerts.notify import notify
from tracking.destinations.contract.config_form import ConfigForm
from tracking.models import Alert, AlertChannel, AlertRule, Integration, Notification


def a_round() -> None:
    """As beat asks for one each minute."""
    evaluate()
    notify()


def rule(kind: str, **fields: Any) -> AlertRule:
    return AlertRule.objects.create(kind=kind, **fields)


def channel(kind: str, name: str = "Operators", **config: Any) -> AlertChannel:
    """As an operator would configure it."""
    form: ConfigForm = CHANNELS[kind].Config(config)
    assert form.is_valid(), form.errors
    made = AlertChannel(name=name, kind=kind)
    made.configure(form)
    made.save()
    return made


def pass_minutes(minutes: int) -> None:
    """All that is on record of alerts and pauses happened so much earlier."""
    ago = timedelta(minutes=minutes)
    Alert.objects.update(
        opened_at=F("opened_at") - ago,
        fine_since=F("fine_since") - ago,
        silent_until=F("silent_until") - ago,
    )
    Notification.objects.update(next_at=F("next_at") - ago, sent_at=F("sent_at") - ago)
    Integration.objects.update(paused_at=F("paused_at") - ago)
