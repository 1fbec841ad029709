"""The configuration form of AMQP."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HostField

#: Bytes of a name, at most: AMQP 0-9-1, section 4.2.5.3, "short-str".
NAME_BYTES = 255


class NameField(forms.CharField):
    """A name as the broker takes it, bounded in bytes."""

    def clean(self, value: Any) -> str:
        name: str = super().clean(value)
        if len(name.encode()) > NAME_BYTES:
            raise ValidationError("Enter at most %(most)s bytes.", "long", {"most": NAME_BYTES})
        return name


class AmqpConfig(ConfigForm):
    address_fields = ("port", "tls")

    host = HostField(help_text="Name or address of the broker: in the AMQP URL after the @.")
    port = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=65_535,
        help_text="Empty: 5671 with TLS, 5672 without.",
    )
    tls = forms.BooleanField(
        label="TLS", required=False, help_text="Select it for a URL that begins with amqps://."
    )
    vhost = NameField(
        label="Virtual host",
        max_length=255,
        required=False,
        initial="/",
        help_text="In the AMQP URL after the port and a slash; in RabbitMQ's management pages under"
        " Admin → Virtual Hosts.",
    )
    user = forms.CharField(
        max_length=255, help_text="In RabbitMQ's management pages under Admin → Users."
    )
    password = SecretField(help_text="Password of the user.")
    exchange = NameField(
        max_length=255,
        required=False,
        help_text="Name of an existing exchange: in RabbitMQ's management pages under Exchanges."
        " Empty: the default exchange, whose routing key is the name of a queue.",
    )
    routing_key = NameField(
        max_length=200,
        help_text="{type} and {name} are replaced by the type of the hit and the name of its event."
        " A message that no queue receives is an error.",
    )
    batch_size = forms.IntegerField(
        label="Messages per batch",
        required=False,
        initial=100,
        min_value=1,
        max_value=1_000,
        help_text="Number of messages sent over one connection before waiting for their confirms.",
    )
