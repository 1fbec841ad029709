"""The form of an alert rule: what its kind of alert looks at, in words and units of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.form_fields import DurationField
from tracking.models import AlertRule
from tracking.models.access.scope import Scope
from tracking.models.alerts.rule import MAX_MINUTES, OF_INTEGRATIONS, OF_TOKENS, AlertKind

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class RuleShape:
    """What a kind of rule looks at: the labels of its numbers, empty for one that it does not use,
    and the values that a new rule begins with."""

    summary: StrOrPromise
    threshold: StrOrPromise = ""
    minutes: StrOrPromise = ""
    initial: tuple[float, int] = (0, 60)


SHAPES: dict[str, RuleShape] = {
    AlertKind.SOURCE: RuleShape(
        _("A token that usually sends hits sends none."), minutes=_("Silent for")
    ),
    AlertKind.RATE: RuleShape(
        _("Too few requests to a destination succeed."),
        threshold=_("Success below (%)"),
        minutes=_("Within the last"),
        initial=(90, 10),
    ),
    AlertKind.BACKLOG: RuleShape(
        _("Hits wait too long for their delivery."),
        minutes=_("The oldest hit waits for"),
        initial=(0, 30),
    ),
    AlertKind.PAUSED: RuleShape(
        _("An integration is paused, by a person or because its destination is down."),
        minutes=_("Paused for"),
        initial=(0, 5),
    ),
    AlertKind.DEAD: RuleShape(
        _("Hits could not be delivered and are not retried."),
        threshold=_("More dead letters than"),
        minutes=_("Within the last"),
    ),
    AlertKind.DISK: RuleShape(
        _("The disk of Postgres has little space left."),
        threshold=_("Free space below (%)"),
        initial=(10, 60),
    ),
    AlertKind.PARTITIONS: RuleShape(
        _("The partitions of the coming days are not created."),
        threshold=_("Fewer days ahead than"),
        initial=(7, 60),
    ),
    AlertKind.HEARTBEAT: RuleShape(
        _("A worker or beat has stopped."), minutes=_("Silent for"), initial=(0, 3)
    ),
    AlertKind.SPOOL: RuleShape(
        _("Hits of an outage of Postgres still wait on a web server."),
        threshold=_("Spool fuller than (%)"),
        minutes=_("Hits wait for"),
        initial=(80, 1),
    ),
}


class MinutesField(DurationField):
    """A duration in whole minutes: "2 h", "15 min", or a number of minutes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=MAX_MINUTES * 60, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return super().prepare_value(value * 60 if isinstance(value, int) else value)

    def to_python(self, value: Any) -> Any:
        text = str(value).strip()
        return int(text) * 60 if text.isdecimal() else super().to_python(value)

    def clean(self, value: Any) -> int:
        """Return the minutes. Raises ValidationError."""
        minutes, rest = divmod(super().clean(value), 60)
        if rest:
            raise ValidationError(_("Enter whole minutes."), code="minutes")
        return int(minutes)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


#: The fields of the durations.
DURATIONS: dict[str, Callable[[], MinutesField]] = {
    "minutes": partial(MinutesField, least=60, help_text=_("Such as 15 min or 2 h.")),
    "calm": partial(
        MinutesField,
        least=0,
        label=_("Resolve after"),
        initial=10,
        help_text=_("Quiet time. An alert that comes and goes notifies once."),
    ),
}


class AlertRuleForm(forms.ModelForm):
    #: The kind of a new rule, and the tokens to choose from.
    kind: ClassVar[str] = ""
    scope: ClassVar[Scope] = Scope(None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.kind:
            self.instance.kind = self.kind
        shape = SHAPES[self.instance.kind]
        for name, initial in zip(("threshold", "minutes"), shape.initial, strict=True):
            if field := self.fields.get(name):
                field.label = getattr(shape, name)
                if self.instance.pk is None:
                    self.initial.setdefault(name, initial)
        if (threshold := self.fields.get("threshold")) and not self.data:
            value = self.initial.get("threshold", getattr(self.instance, "threshold", 0))
            # Whole numbers without a fraction: 95, not 95.0.
            self.initial["threshold"] = int(value) if value == int(value) else value
            threshold.help_text = ""

    def clean(self) -> dict[str, Any]:
        """Refuse a rule about all tokens by a user who does not see all of them."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not (self.scope.is_all or cleaned.get("token") or cleaned.get("integration")):
            raise ValidationError(
                _(
                    "Choose a token or an integration: only users who see all tokens can make a "
                    "rule for all."
                )
            )
        return cleaned


def fieldsets_of(kind: str) -> list[tuple[StrOrPromise | None, dict[str, Any]]]:
    """Return what the kind looks at: of which tokens or integrations, and its condition."""
    shape = SHAPES[kind]
    about = [
        *(["token"] if kind in OF_INTEGRATIONS | OF_TOKENS else []),
        *(["integration"] if kind in OF_INTEGRATIONS else []),
    ]
    numbers = [name for name in ("threshold", "minutes") if getattr(shape, name)]
    return [
        (None, {"fields": (*numbers, "calm", "enabled"), "description": shape.summary}),
        *([(_("Scope"), {"fields": tuple(about)})] if about else []),
        (_("Notifications"), {"fields": ("channels",)}),
    ]


def condition_of(rule: AlertRule) -> str:
    """Return the rule's numbers with their labels."""
    shape = SHAPES[rule.kind]
    texts = []
    if shape.threshold:
        texts.append(f"{shape.threshold}: {rule.threshold:g}")
    if shape.minutes:
        texts.append(f"{shape.minutes}: {MinutesField().prepare_value(rule.minutes)}")
    return " · ".join(texts)
