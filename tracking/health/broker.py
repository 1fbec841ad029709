"""The broker: whether it accepts a connection. Without it nothing is lost, but deliveries wait."""

from __future__ import annotations

from typing import Any

from celery import current_app
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from tracking.health.component import Component, fill, good, poor
from tracking.health.probe import NoAnswerError, Probe

PATIENCE = 0.8
#: Timeouts of each transport's own calls, by its name: a thread must not hang for hours.
TIMEOUTS: dict[str, dict[str, float]] = {
    "redis": {"socket_timeout": 2.0, "socket_connect_timeout": 2.0},
    "amqp": {"read_timeout": 2.0, "write_timeout": 2.0},
}


def probe() -> str:
    """Open a channel. Returns the transport's name. Raises the transport's errors."""
    with current_app.connection_for_write() as connection:
        name = str(connection.transport.driver_type)
    options: dict[str, Any] = {"connect_timeout": 2, "transport_options": TIMEOUTS.get(name, {})}
    with current_app.connection_for_write(**options) as connection:
        connection.ensure_connection(max_retries=1, timeout=2)
        connection.channel()
    return name


broker = Probe(probe, patience=PATIENCE, remember=1.0)


def component() -> Component:
    kind = gettext_noop("Broker")
    todo = _("Deliveries wait for the next sweep: start the broker, or correct BROKER_URL.")
    try:
        name = broker.answer()
        return good(kind, fill(_("It takes messages (%(transport)s)."), transport=name))
    except NoAnswerError:
        fault = fill(_("It does not answer within %(seconds)s s."), seconds=f"{PATIENCE:g}")
    except Exception as error:
        fault = fill(_("It refuses (%(error)s)."), error=type(error).__name__)
    return poor(kind, format_lazy("{} {}", fault, todo))
