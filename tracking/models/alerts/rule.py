"""Alert rules: which conditions raise alerts."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

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

    SOURCE = "source", _("Source is silent")
    RATE = "rate", _("Deliveries fail")
    BACKLOG = "backlog", _("Delivery backlog")
    PAUSED = "paused", _("Integration is paused")
    DEAD = "dead", _("Dead letters")
    DISK = "disk", _("Disk is filling up")
    PARTITIONS = "partitions", _("Partitions are running out")
    HEARTBEAT = "heartbeat", _("Worker or beat is silent")
    SPOOL = "spool", _("Hits wait in a spool")


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
    kind = models.CharField(_("kind"), max_length=10, choices=AlertKind.choices)
    token = models.ForeignKey(
        Token,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        limit_choices_to=Q(deleted_at=None),
        help_text=_("Only this token and its integrations. Empty: all tokens."),
        verbose_name=_("token"),
    )
    integration = models.ForeignKey(
        Integration,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        limit_choices_to=Q(deleted_at=None),
        help_text=_("Only this integration. Empty: all integrations."),
        verbose_name=_("integration"),
    )
    threshold = models.FloatField(
        _("threshold"),
        default=0,
        validators=(MinValueValidator(0),),
        help_text=_(
            "Successful deliveries in per cent; allowed dead letters; free disk space in "
            "per cent; days of partitions ahead; how full a spool may be in per cent. Not used by "
            "other rules."
        ),
    )
    minutes = models.PositiveIntegerField(
        _("minutes"),
        default=60,
        validators=(MinValueValidator(1), MaxValueValidator(MAX_MINUTES)),
        help_text=_(
            "The window that the rule looks at, or how long something may last. Not used "
            "for disk and partitions."
        ),
    )
    calm = models.PositiveIntegerField(
        _("quiet minutes"),
        default=10,
        validators=(MaxValueValidator(MAX_MINUTES),),
        help_text=_(
            "Resolve after this many quiet minutes. An alert that comes and goes notifies once."
        ),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    channels = models.ManyToManyField(
        AlertChannel,
        blank=True,
        help_text=_("Channels to notify. None: every enabled channel."),
        verbose_name=_("channels"),
    )

    objects = AlertRuleQuerySet.as_manager()

    class Meta:
        ordering = ("kind", "pk")
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")

    def __str__(self) -> str:
        whose = self.integration or self.token
        label = str(AlertKind(self.kind).label)
        return f"{label}: {whose}" if whose else label

    def clean(self) -> None:
        """Raise ValidationError for a subject that the rule's kind does not use."""
        if self.integration_id and self.kind not in OF_INTEGRATIONS:
            raise ValidationError({"integration": _("This is not about one integration.")})
        if self.token_id and self.kind not in OF_INTEGRATIONS | OF_TOKENS:
            raise ValidationError({"token": _("This is not about one token.")})
        if self.integration and self.token_id not in (None, self.integration.token_id):
            raise ValidationError({"integration": _("It is another token's.")})
        if self.threshold > 100 and self.kind in PER_CENT:
            raise ValidationError({"threshold": _("There are a hundred per cent.")})

        if self.kind == AlertKind.DEAD and self.threshold >= MAX_ROWS:
            message = _("It counts no further than to %(limit)s.") % {"limit": f"{MAX_ROWS:,}"}
            raise ValidationError({"threshold": message})

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
        days = round(self.threshold)
        words = {
            AlertKind.RATE: gettext("below %(number)s %%"),
            AlertKind.DEAD: gettext("more than %(number)s"),
            AlertKind.DISK: gettext("less than %(number)s %% free"),
            AlertKind.PARTITIONS: ngettext(
                "fewer than %(number)s day", "fewer than %(number)s days", days
            ),
            AlertKind.SPOOL: gettext("%(number)s %% full"),
        }
        return words.get(AlertKind(self.kind), "") % {"number": f"{self.threshold:g}"}

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
