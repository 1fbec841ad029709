"""Where notifications of alerts go: an address, and the kind of the channel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm
from tracking.models.integrations.encrypted_json import EncryptedJSONField, Sealed, SecretKeyError

#: Seconds to wait after the first failure, and at most; each wait is twice the one before.
FIRST_GAP, LONGEST_GAP = 30.0, 900.0


class ChannelKind(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SLACK = "slack", _("Slack")
    WEBHOOK = "webhook", _("Webhook")


class AlertChannel(models.Model):
    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=ChannelKind.choices, editable=False)
    enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("A disabled channel gets no notifications.")
    )
    config = models.JSONField(_("config"), default=dict, blank=True, editable=False)
    secrets = EncryptedJSONField(_("secrets"), default=dict, blank=True, editable=False)
    notified_at = models.DateTimeField(_("last notified"), null=True, editable=False)
    failures = models.PositiveSmallIntegerField(_("failures"), default=0, editable=False)
    error = models.TextField(_("error"), blank=True, default="", editable=False)

    #: Secrets that Hitstream generated while the operator configured the channel, to be shown once.
    issued: Mapping[str, str] = {}

    class Meta:
        ordering = ("name",)
        verbose_name = _("alert channel")
        verbose_name_plural = _("alert channels")

    def __str__(self) -> str:
        return self.name

    def configure(self, form: ConfigForm) -> None:
        """Take the valid form's values; an empty secret keeps the present one. Raises SetupError if
        that was entered for another address."""
        self.secrets = Sealed.seal(form.merge_secrets(self.config, self.secrets.open))
        self.config, self.issued = form.split()[0], form.issued

    def settings(self) -> dict[str, Any]:
        """Return the configuration with its secrets decrypted. Raises SecretKeyError."""
        return {**self.config, **self.secrets.open()}

    def key_error(self) -> SecretKeyError | None:
        """Return why the credentials cannot be decrypted, None if they can."""
        try:
            self.secrets.open()
        except SecretKeyError as error:
            return error
        return None

    def took(self) -> None:
        """Note that a message was delivered."""
        self.notified_at, self.failures, self.error = timezone.now(), 0, ""
        self._note("notified_at", "failures", "error")

    def failed(self, error: str) -> datetime:
        """Note a failure and its reason. Returns when the next attempt may be made."""
        gap = min(FIRST_GAP * float(2 ** min(self.failures, 10)), LONGEST_GAP)
        self.failures, self.error = min(self.failures + 1, 1000), error
        self._note("failures", "error")
        return timezone.now() + timedelta(seconds=gap)

    def _note(self, *names: str) -> None:
        """Write the fields, unless the channel has been deleted meanwhile."""
        values = {name: getattr(self, name) for name in names}
        AlertChannel.objects.filter(pk=self.pk).update(**values)
