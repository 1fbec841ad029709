"""An integration: one configured destination of a token."""

from __future__ import annotations

import json
from collections.abc import Mapping as AnyMapping
from datetime import timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from tracking import db
from tracking.destinations.contract import registry
from tracking.destinations.contract.config_form import ConfigForm
from tracking.destinations.contract.destination import Destination
from tracking.destinations.mapping.event_mapping import EventMapping
from tracking.destinations.transport.recorder import printable
from tracking.models.integrations.defaults import (
    default_concurrency,
    default_max_age,
    default_max_attempts,
    default_retry_base,
)
from tracking.models.integrations.encrypted_json import EncryptedJSONField, Sealed, SecretKeyError
from tracking.models.integrations.field_groups import CONFIGURED, DECIDING, SENDING
from tracking.models.integrations.pause import GAPS, HITSTREAM, Cause, Pausable, gap_of
from tracking.models.tokens.token import Token
from tracking.routing.switches import is_switched_on


class IntegrationQuerySet(models.QuerySet["Integration"]):
    def present(self) -> IntegrationQuerySet:
        """Return the integrations that are not deleted."""
        return self.filter(deleted_at=None)

    def running(self) -> IntegrationQuerySet:
        """Return the integrations that are sent to, if only to probe, from the primary: a replica
        may lag."""
        return self.using(db.write_alias()).filter(
            Q(enabled=True) | Q(draining=True),
            Q(paused_at=None) | Q(probe_at__lte=Now()),
            deleted_at=None,
        )

    def probe(self) -> int:
        """Probe misconfigured or unreachable integrations at once: they have changed."""
        return self.filter(paused_cause__in=GAPS).update(probe_at=Now(), probes=0)

    def hold(
        self, integration: Integration, cause: Cause, reason: str, *, seconds: float | None = None
    ) -> bool:
        """Pause the integration until a probe in `seconds`, by default later with each probe.
        Returns False, and does nothing, if an operator has paused or changed it since this copy was
        read."""
        with db.atomic():
            now = self.select_for_update().filter(pk=integration.pk).first()
            if now is None or now.paused_cause == Cause.OPERATOR:
                return False
            if any(getattr(now, name) != getattr(integration, name) for name in DECIDING):
                return False
            probes = now.probes if now.paused_cause in GAPS else 0
            gap = gap_of(cause, probes) if seconds is None else seconds
            self.filter(pk=integration.pk).update(
                paused_at=now.paused_at or timezone.now(),
                paused_by=HITSTREAM,
                paused_reason=printable(reason),
                paused_cause=cause,
                probe_at=Now() + timedelta(seconds=gap),
                probes=min(probes + 1, 1000),
            )
        return True

    def release(self, integration: Integration) -> None:
        """End the pause after a successful probe, unless it is an operator's."""
        self.filter(pk=integration.pk).exclude(paused_cause=Cause.OPERATOR).update(
            paused_at=None, paused_by="", paused_reason="", paused_cause="", probe_at=None, probes=0
        )


class Integration(Pausable):
    """Where a token's hits go. Paused: hits are queued and sent later. Disabled: new hits are not
    queued, and queued ones wait, unless it is draining."""

    token = models.ForeignKey(
        Token, on_delete=models.PROTECT, related_name="integrations", verbose_name=_("token")
    )
    name = models.CharField(
        _("name"),
        max_length=100,
        help_text=_("A hit's integrations object can switch it on or off by name."),
    )
    #: The name in the form in which a hit's `integrations` object is compared with it.
    handle = models.CharField(_("handle"), max_length=300, editable=False)
    destination = models.CharField(_("destination"), max_length=50, choices=registry.choices)
    config = models.JSONField(_("config"), default=dict, blank=True, editable=False)
    secrets = EncryptedJSONField(_("secrets"), default=dict, blank=True, editable=False)
    event_names = ArrayField(
        models.CharField(max_length=255),
        default=list,
        blank=True,
        verbose_name=_("only these events"),
        help_text=_("Event names, one per line. Empty: every event."),
    )
    mapping = models.JSONField(_("mapping"), default=dict, blank=True, editable=False)
    ordered = models.BooleanField(
        _("in order per user"),
        default=False,
        help_text=_(
            "Send a user's hits one by one, in the order they were stored; later hits wait "
            "while an earlier one is retried. Applies to hits that arrive from now on."
        ),
    )
    concurrency = models.PositiveSmallIntegerField(
        _("concurrency"),
        default=default_concurrency,
        validators=(MinValueValidator(1), MaxValueValidator(500)),
    )
    rate_limit = models.PositiveIntegerField(
        _("rate limit (requests/s)"),
        null=True,
        blank=True,
        validators=(MinValueValidator(1),),
        help_text=_("Empty: as fast as the destination answers."),
    )
    max_attempts = models.PositiveSmallIntegerField(
        _("max attempts"),
        default=default_max_attempts,
        validators=(MinValueValidator(1), MaxValueValidator(100)),
        help_text=_(
            "After the last attempt the delivery is a dead letter. 15 attempts take about 3 days."
        ),
    )
    max_age = models.PositiveIntegerField(
        _("give up after"),
        default=default_max_age,
        validators=(MinValueValidator(1),),
        help_text=_(
            "Seconds since the delivery was queued; an attempt that fails later is the "
            "last. 604800 is a week."
        ),
    )
    retry_base = models.FloatField(
        _("first retry within"),
        default=default_retry_base,
        validators=(MinValueValidator(0.001), MaxValueValidator(86_400)),
        help_text=_(
            "Seconds. The longest wait before the first retry; it doubles with each retry."
        ),
    )
    keep_bodies = models.BooleanField(
        _("keep all bodies"),
        default=False,
        help_text=_(
            "Keep the bodies of successful requests, too. At high rates they take more "
            "space than the hits."
        ),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    enabled = models.BooleanField(
        _("enabled"),
        default=True,
        help_text=_(
            "Disabled: new hits are not queued. Pause to keep queueing; Drain to send what "
            "is queued and stop."
        ),
    )
    draining = models.BooleanField(_("draining"), default=False, editable=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, editable=False)

    objects = IntegrationQuerySet.as_manager()

    #: Secrets that Hitstream generated while the operator configured the integration, to be shown
    #: once.
    issued: AnyMapping[str, str] = {}

    class Meta:
        ordering = ("token", "name")
        constraints = (
            models.UniqueConstraint(
                fields=("token", "name"),
                name="hitstream_integration_name",
                condition=models.Q(deleted_at=None),
            ),
        )
        verbose_name = _("integration")
        verbose_name_plural = _("integrations")

    def __str__(self) -> str:
        return f"{self.title} ({self.token})"

    def save(self, *args: Any, by: str = "", **kwargs: Any) -> None:
        """Store the configuration and record it; an enabled integration stops draining. This copy
        may be old, so it does not write the pause; a pause for a wrong configuration is probed at
        once."""
        self.handle = self.name.lower()
        configured = not self._state.adding and "update_fields" not in kwargs
        if configured:
            self.draining = self.draining and not self.enabled
            kwargs["update_fields"] = (*CONFIGURED, *(("draining",) if self.enabled else ()))
        with db.atomic():
            super().save(*args, **kwargs)
            if configured:
                Integration.objects.filter(pk=self.pk).probe()
            # As it is stored: this copy may be old in what it does not write.
            stored = Integration.objects.get(pk=self.pk).snapshot()
            self.token.record_revision(by=by, changed={str(self.pk): stored})

    @property
    def title(self) -> str:
        """The name, marked if deleted."""
        return f"{self.name} (deleted)" if self.deleted_at else self.name

    def drain(self, *, by: str = "") -> None:
        """Queue no new hits; what is queued is still sent. Enabling the integration ends that."""
        self.enabled, self.draining = False, True
        self.save(by=by, update_fields=("enabled", "draining"))

    def mark_deleted(self, *, by: str = "") -> None:
        """Stop queueing and sending, leave all lists and free the name. Everything on record stays.
        `tracking.models.operations.delete` also cancels what is queued."""
        self.enabled, self.draining, self.deleted_at = False, False, timezone.now()
        self.save(by=by, update_fields=("enabled", "draining", "deleted_at"))

    @property
    def destination_class(self) -> type[Destination]:
        return registry.get_destination(self.destination)

    def open(self) -> Destination:
        """Return the configured destination. Only here are its secrets decrypted."""
        return self.destination_class({**self.config, **self.secrets.open()})

    def open_mapping(self) -> EventMapping:
        """Return the changes that are made to its events before they are sent."""
        return EventMapping.load(self.mapping)

    def wants(self, name: str, integrations: AnyMapping[str, Any]) -> bool:
        """Return whether a hit with that event and `integrations` object is for it, as it is
        configured now. `hitstream_is_routed` decides the same in SQL."""
        listed = not self.event_names or name in self.event_names
        return listed and is_switched_on(
            integrations, handle=self.handle, destination=self.destination
        )

    def key_error(self) -> SecretKeyError | None:
        """Return why the credentials cannot be decrypted, None if they can."""
        try:
            self.secrets.open()
        except SecretKeyError as error:
            return error
        return None

    def fingerprint(self) -> str:
        """Return a digest that differs for different secrets, whatever key they are encrypted
        under."""
        if self.key_error() is not None:
            return "unreadable"
        text = json.dumps(self.secrets.open(), sort_keys=True)
        return salted_hmac("hitstream.integration", text, algorithm="sha256").hexdigest()[:12]

    def configure(self, form: ConfigForm) -> None:
        """Take the valid form's values; an empty secret keeps the present one. Raises SetupError if
        that was entered for another address."""
        secrets = form.merge_secrets(self.config, self.secrets.open)
        self.config, self.issued = form.split()[0], form.issued
        # Encrypting the same secrets again would look like a change.
        if self.key_error() is not None or secrets != self.secrets.open():
            self.secrets = Sealed.seal(secrets)

    def snapshot(self) -> dict[str, Any]:
        """Return everything that decides what is sent, for the token's revision, without secrets.
        Automatic pauses are not part of the operator's configuration."""
        return {
            "name": self.name,
            "destination": self.destination,
            "config": self.config,
            "secrets": self.fingerprint(),
            "mapping": self.mapping,
            **{name: getattr(self, name) for name in SENDING},
            "draining": self.draining,
            "deleted": self.deleted_at is not None,
            "paused": {"by": self.paused_by, "reason": self.paused_reason}
            if self.paused_cause == Cause.OPERATOR
            else None,
        }
