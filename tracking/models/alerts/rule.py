"""Alert rules: which conditions raise alerts."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, QuerySet

from tracking.models.access.scope import Scope
from tracking.models.alerts.channel import AlertChannel
from tracking.models.integrations.integration import Integration
from tracking.models.tokens.token import Token

#: Minutes that a rule looks back at most: a week.
MAX_MINUTES = 7 * 24 * 60
#: Rows of one integration that a rule reads at most.
MAX_ROWS = 10_000


class AlertKind(models.TextChoices):
    """The condition of a rule; `tracking.alerts.conditions` evaluates it."""

    SOURCE = "source", "Source is silent"
    RATE = "rate", "Deliveries fail"
    BACKLOG = "backlog", "Delivery backlog"
    PAUSED = "paused", "Integration is paused"
    DEAD = "dead", "Dead letters"
    DISK = "disk", "Disk is filling up"
    PARTITIONS = "partitions", "Partitions are running out"
    HEARTBEAT = "heartbeat", "Worker or beat is silent"
    SPOOL = "spool", "Hits wait in a spool"


PER_CENT = frozenset({AlertKind.RATE, AlertKind.DISK, AlertKind.SPOOL})
OF_TOKENS = frozenset({AlertKind.SOURCE})
OF_INTEGRATIONS = frozenset({AlertKind.RATE, AlertKind.BACKLOG, AlertKind.PAUSED, AlertKind.DEAD})


class AlertRuleQuerySet(models.QuerySet["AlertRule"]):
    def seen(self, scope: Scope) -> AlertRuleQuerySet:
        """Return the rules without a token, and those of tokens in the scope."""
        if scope.token_ids is None:
            return self
        tokens = sorted(scope.token_ids)
        return self.filter(
            Q(token=None) | Q(token__in=tokens),
            Q(integration=None) | Q(integration__token__in=tokens),
        )


class AlertRule(models.Model):
    kind = models.CharField("kind", max_length=10, choices=AlertKind.choices)
    token = models.ForeignKey(
        Token,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        limit_choices_to=Q(deleted_at=None),
        help_text="Only this token and its integrations. Empty: all tokens.",
    )
    integration = models.ForeignKey(
        Integration,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        limit_choices_to=Q(deleted_at=None),
        help_text="Only this integration. Empty: all integrations.",
    )
    threshold = models.FloatField(
        default=0,
        validators=(MinValueValidator(0),),
        help_text="Successful deliveries in per cent; allowed dead letters; free disk space in "
        "per cent; days of partitions ahead; how full a spool may be in per cent. Not used by "
        "other rules.",
    )
    minutes = models.PositiveIntegerField(
        default=60,
        validators=(MinValueValidator(1), MaxValueValidator(MAX_MINUTES)),
        help_text="The window that the rule looks at, or how long something may last. Not used "
        "for disk and partitions.",
    )
    calm = models.PositiveIntegerField(
        "quiet minutes",
        default=10,
        validators=(MaxValueValidator(MAX_MINUTES),),
        help_text="Resolve after this many quiet minutes. An alert that comes and goes notifies "
        "once.",
    )
    enabled = models.BooleanField(default=True)
    channels = models.ManyToManyField(
        AlertChannel,
        blank=True,
        help_text="Channels to notify. None: every enabled channel.",
    )

    objects = AlertRuleQuerySet.as_manager()

    class Meta:
        ordering = ("kind", "pk")

    def __str__(self) -> str:
        whose = self.integration or self.token
        label = AlertKind(self.kind).label
        return f"{label}: {whose}" if whose else label

    def clean(self) -> None:
        """Raise ValidationError for a subject that the rule's kind does not use."""
        if self.integration_id and self.kind not in OF_INTEGRATIONS:
            raise ValidationError({"integration": "This is not about one integration."})
        if self.token_id and self.kind not in OF_INTEGRATIONS | OF_TOKENS:
            raise ValidationError({"token": "This is not about one token."})
        if self.integration and self.token_id not in (None, self.integration.token_id):
            raise ValidationError({"integration": "It is another token's."})
        if self.threshold > 100 and self.kind in PER_CENT:
            raise ValidationError({"threshold": "There are a hundred per cent."})

        if self.kind == AlertKind.DEAD and self.threshold >= MAX_ROWS:
            raise ValidationError({"threshold": f"It counts no further than to {MAX_ROWS:,}."})

    @property
    def is_of_all(self) -> bool:
        """Whether the rule covers every token, or the system."""
        return self.token_id is None and self.integration_id is None

    @property
    def looks_back(self) -> bool:
        return self.kind not in (AlertKind.DISK, AlertKind.PARTITIONS)

    @property
    def threshold_said(self) -> str:
        """The threshold with its unit; empty if the kind has none."""
        words = {
            AlertKind.RATE: "below {:g} %",
            AlertKind.DEAD: "more than {:g}",
            AlertKind.DISK: "less than {:g} % free",
            AlertKind.PARTITIONS: "fewer than {:g} days",
            AlertKind.SPOOL: "{:g} % full",
        }
        return words[AlertKind(self.kind)].format(self.threshold) if self.kind in words else ""

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def tokens(self) -> QuerySet[Token]:
        """Return the tokens that the rule covers and that may send."""
        found = Token.objects.present().filter(enabled=True, revoked_at=None)
        return found.filter(pk=self.token_id) if self.token_id else found

    def integrations(self) -> QuerySet[Integration]:
        """Return the integrations that the rule covers and that are sent to."""
        running = Q(enabled=True) | Q(draining=True)
        found = Integration.objects.present().filter(running, token__deleted_at=None)
        if self.token_id:
            found = found.filter(token=self.token_id)
        if self.integration_id:
            found = found.filter(pk=self.integration_id)
        return found.select_related("token")
