"""A token's configured line to one destination."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, router, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from tracking.conf import conf
from tracking.destinations import registry
from tracking.destinations.base import ConfigForm, Destination
from tracking.models.fields import EncryptedJSONField, Sealed, SecretKeyError
from tracking.models.token import Token


def default_max_attempts() -> int:
    return conf.MAX_ATTEMPTS


#: What an operator edits.
CONFIGURED = ("name", "handle", "config", "secrets", "enabled", "event_names", "max_attempts")


class IntegrationQuerySet(models.QuerySet["Integration"]):
    def running(self) -> IntegrationQuerySet:
        """Those that are sent to, as the primary has it: a replica may be behind."""
        primary = self.using(router.db_for_write(Integration))
        return primary.filter(enabled=True, paused_at=None)


class Integration(models.Model):
    """Where a token's hits go. Paused: owed, kept and sent later. Disabled: not owed at all."""

    token = models.ForeignKey(Token, on_delete=models.PROTECT, related_name="integrations")
    name = models.CharField(
        max_length=100, help_text="A hit's `integrations` object may switch it on and off by name."
    )
    #: The name as a hit's `integrations` object is compared with it.
    handle = models.CharField(max_length=300, editable=False)
    destination = models.CharField(max_length=50, choices=registry.choices)
    config = models.JSONField(default=dict, blank=True, editable=False)
    secrets = EncryptedJSONField(default=dict, blank=True, editable=False)
    enabled = models.BooleanField(
        default=True,
        help_text="Hits that arrive while it is disabled are not owed to it. To hold hits back, "
        "pause it instead.",
    )
    event_names = ArrayField(
        models.CharField(max_length=255),
        default=list,
        blank=True,
        verbose_name="only these events",
        help_text="Event names, one a line. Empty: every event.",
    )
    max_attempts = models.PositiveSmallIntegerField(
        default=default_max_attempts,
        validators=(MinValueValidator(1), MaxValueValidator(100)),
        help_text="Then the delivery becomes a dead letter. 15 attempts take about three days.",
    )
    paused_at = models.DateTimeField(null=True, editable=False)
    paused_by = models.CharField(max_length=150, blank=True, editable=False)
    paused_reason = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = IntegrationQuerySet.as_manager()

    #: Secrets that were made for the operator while configuring, to be shown once.
    issued: Mapping[str, str] = {}

    class Meta:
        ordering = ("token", "name")
        constraints = (
            models.UniqueConstraint(fields=("token", "name"), name="tracking_integration_name"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.token})"

    def save(self, *args: Any, by: str = "", **kwargs: Any) -> None:
        """The configuration is stored and on record. A pause is not written back from this copy,
        which may be old by now."""
        self.handle = self.name.lower()
        if not self._state.adding:
            kwargs.setdefault("update_fields", CONFIGURED)
        with transaction.atomic(using=router.db_for_write(Integration)):
            super().save(*args, **kwargs)
            self.token.revise(by=by)

    @property
    def destination_class(self) -> type[Destination]:
        return registry.get(self.destination)

    def open(self) -> Destination:
        """The destination, configured; its secrets are decrypted here and nowhere else."""
        return self.destination_class({**self.config, **self.secrets.open()})

    def key_error(self) -> SecretKeyError | None:
        """Why the credentials cannot be read, None if they can."""
        try:
            self.secrets.open()
        except SecretKeyError as error:
            return error
        return None

    def fingerprint(self) -> str:
        """Another one for other secrets, whatever key they are encrypted under."""
        if self.key_error() is not None:
            return "unreadable"
        text = json.dumps(self.secrets.open(), sort_keys=True)
        return salted_hmac("tracking.integration", text, algorithm="sha256").hexdigest()[:12]

    def configure(self, form: ConfigForm) -> None:
        """The valid form's values are the configuration; an empty secret keeps the present one."""
        self.config, self.issued = form.split()[0], form.issued
        secrets = form.merge_secrets(self.secrets.open)
        # Sealed anew the same secrets would look like a change.
        if self.key_error() is not None or secrets != self.secrets.open():
            self.secrets = Sealed.seal(secrets)

    def pause(self, *, reason: str = "", by: str = "") -> None:
        """Nothing is sent until it is resumed; hits are owed to it all the while. Who paused it
        first, and why, stays on record."""
        self.refresh_from_db(fields=("paused_at", "paused_by", "paused_reason"))
        if self.paused_at is not None:
            return
        self.paused_at, self.paused_by, self.paused_reason = timezone.now(), by, reason
        self.save(by=by, update_fields=("paused_at", "paused_by", "paused_reason"))

    def resume(self, *, by: str = "") -> None:
        """What is owed is due again."""
        self.paused_at, self.paused_by, self.paused_reason = None, "", ""
        self.save(by=by, update_fields=("paused_at", "paused_by", "paused_reason"))

    def snapshot(self) -> dict[str, Any]:
        """For the token's revision: everything that decides what is sent, no secret in clear."""
        return {
            "name": self.name,
            "destination": self.destination,
            "config": self.config,
            "secrets": self.fingerprint(),
            "enabled": self.enabled,
            "event_names": self.event_names,
            "max_attempts": self.max_attempts,
            "paused": {"by": self.paused_by, "reason": self.paused_reason}
            if self.paused_at
            else None,
        }
