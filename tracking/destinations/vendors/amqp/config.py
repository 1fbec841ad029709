"""The configuration form of AMQP."""

from __future__ import annotations

from django import forms

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HostField


class AmqpConfig(ConfigForm):
    host = HostField(help_text="The broker's name or address, after the @ of its AMQP URL.")
    port = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=65_535,
        help_text="Empty: 5671 with TLS, 5672 without.",
    )
    tls = forms.BooleanField(
        label="TLS", required=False, help_text="For a URL that begins with amqps://"
    )
    vhost = forms.CharField(
        label="Virtual host",
        max_length=255,
        required=False,
        initial="/",
        help_text="What follows the port and a slash in the AMQP URL; in RabbitMQ's management"
        " pages under Admin, Virtual Hosts.",
    )
    user = forms.CharField(
        max_length=255, help_text="In RabbitMQ's management pages under Admin, Users."
    )
    password = SecretField(help_text="The user's password.")
    exchange = forms.CharField(
        max_length=255,
        required=False,
        help_text="Its name, in RabbitMQ's management pages under Exchanges. It must exist. Empty:"
        " the default one, whose routing key is a queue's name.",
    )
    routing_key = forms.CharField(
        max_length=200,
        help_text="{type} and {name} in it are the hit's type and its event's name. A message that"
        " no queue is bound for is an error.",
    )
    batch_size = forms.IntegerField(
        label="Messages at once",
        required=False,
        initial=100,
        min_value=1,
        max_value=1_000,
        help_text="Sent over one connection before their confirms are waited for.",
    )
