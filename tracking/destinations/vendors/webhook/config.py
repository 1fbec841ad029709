"""The configuration form of the Webhook, and its signing secrets."""

from __future__ import annotations

import base64
import binascii
import secrets

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import DurationField, HeadersField, HttpUrlField

SECRET_PREFIX = "whsec_"  # noqa: S105


class WebhookConfig(ConfigForm):
    url = HttpUrlField(label=_("URL"), help_text=_("URL that receives the hits."))
    signing_secret = SecretField(
        label=_("Signing secret"),
        required=False,
        help_text=_(
            "whsec_ and the base64 of 24 to 64 random bytes. Empty: Hitstream creates one and"
            " shows it once."
        ),
    )
    batch_size = forms.IntegerField(
        label=_("Batch size"),
        required=False,
        initial=1,
        min_value=1,
        max_value=500,
        help_text=_("1 = single object, more = array."),
    )
    headers = HeadersField(
        label=_("Headers"),
        required=False,
        help_text=_('Further headers: one "Name: value" per line, or a JSON object.'),
    )
    timeout = DurationField(label=_("Timeout"), required=False, initial=10, most=60)

    def clean_signing_secret(self) -> str:
        """Return the entered secret. Without one the stored secret is kept; if there is none, a new
        one is created and issued."""
        secret: str = self.cleaned_data["signing_secret"]
        if not secret and "signing_secret" in self.stored - self.removed:
            return ""
        if not secret:
            secret = self.issued["signing_secret"] = issue_secret()
        check_secret(secret)
        return secret


def issue_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(secret: str) -> None:
    """Raise ValidationError unless the text is a secret in the form of the specification."""
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        size = len(base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if encoded == secret or not 24 <= size <= 64:
        raise ValidationError(
            _("Enter whsec_ followed by the base64 of 24 to 64 bytes."), code="secret"
        )
