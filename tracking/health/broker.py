"""The broker: whether it accepts a connection. Without it nothing is lost, but deliveries wait."""

from __future__ import annotations

from typing import Any

from celery import current_app

from tracking.health.component import Component, good, poor
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
    todo = "Deliveries wait for the next sweep: start the broker, or correct BROKER_URL."
    try:
        return good("Broker", f"It takes messages ({broker.answer()}).")
    except NoAnswerError:
        return poor("Broker", f"It does not answer within {PATIENCE:g} s. {todo}")
    except Exception as error:
        return poor("Broker", f"It refuses ({type(error).__name__}). {todo}")
