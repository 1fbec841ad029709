"""Notifications by e-mail, with the deployment's mail settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import get_connection, send_mail
from django.core.validators import validate_email
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tracking.alerts.channels.base import TIMEOUT, Channel
from tracking.alerts.message import WORDS, Message, MessageLine
from tracking.destinations.contract.config_form import ConfigForm
from tracking.exceptions import RetryableError

MAX_SUBJECT = 200
MAX_ADDRESSES = 20


class AddressesField(forms.CharField):
    """E-mail addresses, one per line; cleaned to a list."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        lines = super().clean(value).replace(",", "\n").splitlines()
        addresses = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
        for address in addresses:
            validate_email(address)
        if len(addresses) > MAX_ADDRESSES:
            raise ValidationError(
                _("More than %(most)s addresses."), params={"most": MAX_ADDRESSES}
            )
        return addresses


class EmailChannelConfig(ConfigForm):
    to = AddressesField(
        label=pgettext_lazy("recipients", "To"), help_text=_("E-mail addresses, one a line.")
    )


class EmailChannel(Channel):
    Config = EmailChannelConfig

    def send(self, message: Message) -> str:
        """Send the mail. Raises RetryableError."""
        to: list[str] = self.config["to"]
        subject = " ".join(message.title.split())[:MAX_SUBJECT]
        try:
            backend: Any = get_connection()
            # Without EMAIL_TIMEOUT Django waits for a silent server for ever.
            if getattr(backend, "timeout", TIMEOUT) is None:
                backend.timeout = TIMEOUT
            send_mail(subject, write(message), settings.DEFAULT_FROM_EMAIL, to, connection=backend)
        except Exception as error:  # Whatever a backend raises: SMTP's, a socket's, a provider's.
            reason = f"{type(error).__name__}: {error}"
            raise RetryableError(f"The mail could not be sent. {reason}") from error
        return gettext("The mail server took it for %(addresses)s.") % {"addresses": ", ".join(to)}


def write(message: Message) -> str:
    if not message.lines:
        return message.title
    text = "\n\n".join(write_line(line) for line in message.lines)
    return f"{text}\n\n{message.url}\n" if message.url else f"{text}\n"


def write_line(line: MessageLine) -> str:
    times = f"Opened {line.opened_at:%Y-%m-%d %H:%M} UTC"
    if line.resolved_at:
        times += f", resolved {line.resolved_at:%Y-%m-%d %H:%M} UTC"
    return f"{WORDS[line.state].upper()}: {line.text}\n{times}"
