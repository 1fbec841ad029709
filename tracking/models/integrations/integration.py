"""A token's configured line to one destination."""

from __future__ import annotations

import json
from collections.abc import Mapping as AnyMapping
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, router, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from tracking.destinations.contract import registry
from tracking.destinations.contract.config_form import ConfigForm
from tracking.destinations.contract.destination import Destination
from tracking.destinations.mapping.event_mapping import Mapping
from tracking.models.integrations.defaults import (
    default_concurrency,
    default_max_age,
    default_max_attempts,
    default_retry_base,
)
from tracking.models.integrations.encrypted_json import EncryptedJSONField, Sealed, SecretKeyError
from tracking.models.integrations.pause import Cause, IntegrationQuerySet
from tracking.models.integrations.standing import Standing
from tracking.models.tokens.token import Token
from tracking.routing.switches import allows, switches

#: What decides what is sent, and how.
SENDING = (
    *("enabled", "event_names", "ordered", "concurrency", "rate_limit", "max_attempts"),
    *("max_age", "retry_base", "keep_bodies"),
)
#: What an operator edits.
CONFIGURED = ("name", "handle", "config", "secrets", "mapping", *SENDING)


class Integration(Standing):
    """Where a token's hits go. Paused: owed, kept and sent later. Disabled: not owed at all, and
    what is owed waits, unless it is draining."""

    token = models.ForeignKey(Token, on_delete=models.PROTECT, related_name="integrations")
    name = models.CharField(
        max_length=100, help_text="A hit's `integrations` object may switch it on and off by name."
    )
    #: The name as a hit's `integrations` object is compared with it.
    handle = models.CharField(max_length=300, editable=False)
    destination = models.CharField(max_length=50, choices=registry.choices)
    config = models.JSONField(default=dict, blank=True, editable=False)
    secrets = EncryptedJSONField(default=dict, blank=True, editable=False)
    event_names = ArrayField(
        models.CharField(max_length=255),
        default=list,
        blank=True,
        verbose_name="only these events",
        help_text="Event names, one a line. Empty: every event.",
    )
    mapping = models.JSONField(default=dict, blank=True, editable=False)
    ordered = models.BooleanField(
        "in each user's order",
        default=False,
        help_text="A user's hits are sent one by one in the order in which they were stored; later "
        "ones wait while an earlier one is retried. For hits that arrive from now on.",
    )
    concurrency = models.PositiveSmallIntegerField(
        "requests at once",
        default=default_concurrency,
        validators=(MinValueValidator(1), MaxValueValidator(500)),
    )
    rate_limit = models.PositiveIntegerField(
        "requests a second",
        null=True,
        blank=True,
        validators=(MinValueValidator(1),),
        help_text="Empty: as fast as the destination answers.",
    )
    max_attempts = models.PositiveSmallIntegerField(
        default=default_max_attempts,
        validators=(MinValueValidator(1), MaxValueValidator(100)),
        help_text="Then the delivery becomes a dead letter. 15 attempts take about three days.",
    )
    max_age = models.PositiveIntegerField(
        "tried for at most",
        default=default_max_age,
        validators=(MinValueValidator(1),),
        help_text="Seconds since it was owed; an attempt that fails later is the last. "
        "604800 is a week.",
    )
    retry_base = models.FloatField(
        "first retry within",
        default=default_retry_base,
        validators=(MinValueValidator(0.001), MaxValueValidator(86_400)),
        help_text="Seconds. The longest wait before the first retry; it doubles with each.",
    )
    keep_bodies = models.BooleanField(
        "keep all bodies",
        default=False,
        help_text="Keep the bodies of successful requests, too. At many hits a second they "
        "outgrow the hits.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = IntegrationQuerySet.as_manager()

    #: Secrets that were made for the operator while configuring, to be shown once.
    issued: AnyMapping[str, str] = {}

    class Meta:
        ordering = ("token", "name")
        constraints = (
            models.UniqueConstraint(
                fields=("token", "name"),
                name="tracking_integration_name",
                condition=models.Q(deleted_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"{self.title} ({self.token})"

    def save(self, *args: Any, by: str = "", **kwargs: Any) -> None:
        """The configuration is stored and on record, and an enabled one drains no more. A pause is
        not written back from this copy, which may be old by now; one for a wrong configuration is
        put to the test at once."""
        self.handle = self.name.lower()
        configured = not self._state.adding and "update_fields" not in kwargs
        if configured:
            self.draining = self.draining and not self.enabled
            kwargs["update_fields"] = (*CONFIGURED, *(("draining",) if self.enabled else ()))
        with transaction.atomic(using=router.db_for_write(Integration)):
            super().save(*args, **kwargs)
            if configured:
                Integration.objects.filter(pk=self.pk).probe()
            self.token.revise(by=by)

    @property
    def destination_class(self) -> type[Destination]:
        return registry.get(self.destination)

    def open(self) -> Destination:
        """The destination, configured; its secrets are decrypted here and nowhere else."""
        return self.destination_class({**self.config, **self.secrets.open()})

    def open_mapping(self) -> Mapping:
        """What is changed about its events before they are sent."""
        return Mapping.load(self.mapping)

    def wants(self, name: str, integrations: AnyMapping[str, Any]) -> bool:
        """Whether a hit of that event and `integrations` object is for it, as it is configured
        now. The storing statement decides the same."""
        listed = not self.event_names or name in self.event_names
        return listed and allows(
            switches(integrations), handle=self.handle, destination=self.destination
        )

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

    def snapshot(self) -> dict[str, Any]:
        """For the token's revision: everything that decides what is sent, no secret in clear.
        The pauses that come and go by themselves are not the operator's configuration."""
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
