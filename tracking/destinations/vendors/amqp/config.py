"""The configuration form of AMQP."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HostField

#: Bytes of a name, at most: AMQP 0-9-1, section 4.2.5.3, "short-str".
NAME_BYTES = 255


class NameField(forms.CharField):
    """A name as the broker takes it, bounded in bytes."""

    def clean(self, value: Any) -> str:
        name: str = super().clean(value)
        if len(name.encode()) > NAME_BYTES:
            raise ValidationError(_("Enter at most %(most)s bytes."), "long", {"most": NAME_BYTES})
        return name


class AmqpConfig(ConfigForm):
    address_fields = ("port", "tls")

    host = HostField(
        label=_("Host"), help_text=_("Name or address of the broker: in the AMQP URL after the @.")
    )
    port = forms.IntegerField(
        label=_("Port"),
        required=False,
        min_value=1,
        max_value=65_535,
        help_text=_("Empty: 5671 with TLS, 5672 without."),
    )
    tls = forms.BooleanField(
        label=_("TLS"),
        required=False,
        help_text=_("Select it for a URL that begins with amqps://."),
    )
    vhost = NameField(
        label=_("Virtual host"),
        max_length=255,
        required=False,
        initial="/",
        help_text=_(
            "In the AMQP URL after the port and a slash; in RabbitMQ's management pages under"
            " Admin → Virtual Hosts."
        ),
    )
    user = forms.CharField(
        label=_("User"),
        max_length=255,
        help_text=_("In RabbitMQ's management pages under Admin → Users."),
    )
    password = SecretField(label=_("Password"), help_text=_("Password of the user."))
    exchange = NameField(
        label=_("Exchange"),
        max_length=255,
        required=False,
        help_text=_(
            "Name of an existing exchange: in RabbitMQ's management pages under Exchanges."
            " Empty: the default exchange, whose routing key is the name of a queue."
        ),
    )
    routing_key = NameField(
        label=_("Routing key"),
        max_length=200,
        help_text=_(
            "{type} and {name} are replaced by the type of the hit and the name of its event."
            " A message that no queue receives is an error."
        ),
    )
    batch_size = forms.IntegerField(
        label=_("Messages per batch"),
        required=False,
        initial=100,
        min_value=1,
        max_value=1_000,
        help_text=_(
            "Number of messages sent over one connection before waiting for their confirms."
        ),
    )
