"""Where alerts are told: an address and how it is spoken to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from tracking.destinations.contract.config_form import ConfigForm
from tracking.models.integrations.encrypted_json import EncryptedJSONField, Sealed, SecretKeyError

#: The wait after the first failure and the longest one, in seconds; each is twice the one before.
FIRST_GAP, LONGEST_GAP = 30.0, 900.0


class ChannelKind(models.TextChoices):
    EMAIL = "email", "E-mail"
    SLACK = "slack", "Slack"
    WEBHOOK = "webhook", "Webhook"


class AlertChannel(models.Model):
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10, choices=ChannelKind.choices, editable=False)
    enabled = models.BooleanField(
        default=True, help_text="A disabled channel gets no notifications."
    )
    config = models.JSONField(default=dict, blank=True, editable=False)
    secrets = EncryptedJSONField(default=dict, blank=True, editable=False)
    notified_at = models.DateTimeField("last notified", null=True, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    error = models.TextField(blank=True, default="", editable=False)

    #: Secrets that were made for the operator while configuring, to be shown once.
    issued: Mapping[str, str] = {}

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def configure(self, form: ConfigForm) -> None:
        """The valid form's values are the configuration; an empty secret keeps the present one."""
        self.config, self.issued = form.split()[0], form.issued
        self.secrets = Sealed.seal(form.merge_secrets(self.secrets.open))

    def settings(self) -> dict[str, Any]:
        """The configuration with its secrets in the clear. Raises SecretKeyError."""
        return {**self.config, **self.secrets.open()}

    def key_error(self) -> SecretKeyError | None:
        """Why the credentials cannot be read, None if they can."""
        try:
            self.secrets.open()
        except SecretKeyError as error:
            return error
        return None

    def took(self) -> None:
        """What it was told has arrived."""
        self.notified_at, self.failures, self.error = timezone.now(), 0, ""
        self._note("notified_at", "failures", "error")

    def failed(self, error: str) -> datetime:
        """It could not be told, for this reason; when it may be tried again."""
        gap = min(FIRST_GAP * float(2 ** min(self.failures, 10)), LONGEST_GAP)
        self.failures, self.error = min(self.failures + 1, 1000), error
        self._note("failures", "error")
        return timezone.now() + timedelta(seconds=gap)

    def _note(self, *names: str) -> None:
        """Of a channel that somebody has deleted meanwhile, nothing."""
        values = {name: getattr(self, name) for name in names}
        AlertChannel.objects.filter(pk=self.pk).update(**values)
