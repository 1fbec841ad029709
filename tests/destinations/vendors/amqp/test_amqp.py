"""A hit is delivered when the broker has it on disk and in a queue; whatever else is told."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kombu
import pytest

from tests.destinations.samples import SALE, SAMPLES, sales
from tests.stack.rabbitmq import RabbitMQ, rabbitmq
from tests.support.ports import free_port
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.transport.http import Client
from tracking.destinations.vendors.amqp.config import AmqpConfig
from tracking.destinations.vendors.amqp.destination import Amqp
from tracking.events import Event, Receipt
from tracking.exceptions import DeliveryError, RetryableError, SetupError

PASSWORD = "guest"
QUEUES = {"sales": "hits.track", "people": "hits.identify"}


@pytest.fixture(scope="module")
def broker() -> Iterator[RabbitMQ]:
    with tempfile.TemporaryDirectory(prefix="hitstream-amqp-") as name, rabbitmq(Path(name)) as it:
        yield it


@pytest.fixture
def config(broker: RabbitMQ) -> dict[str, Any]:
    """A topic exchange with two queues, empty at first."""
    with kombu.Connection(broker.url) as connection:
        channel = connection.channel()
        exchange = kombu.Exchange("hits", "topic", durable=True)(channel)
        exchange.declare()
        for queue, key in QUEUES.items():
            bound = kombu.Queue(queue, exchange, key, durable=True)(channel)
            bound.declare()
            bound.purge()
    port = urlsplit(broker.url).port
    return {
        "host": "localhost",
        "port": port,
        "user": "guest",
        "password": PASSWORD,
        "exchange": "hits",
        "routing_key": "hits.{type}",
    }


def messages(broker: RabbitMQ, queue: str) -> list[Any]:
    with kombu.Connection(broker.url) as connection:
        bound = kombu.Queue(queue, no_declare=True)(connection.channel())
        return list(iter(lambda: bound.get(no_ack=True), None))


def make(config: dict[str, Any], **other: Any) -> Amqp:
    form = AmqpConfig({**config, **other})
    assert form.is_valid(), form.errors
    plain, secrets = form.split()
    return Amqp({**plain, **secrets})


def deliver(destination: Amqp, events: Sequence[Event]) -> Receipt:
    async def run() -> Receipt:
        async with Client() as client:
            return await destination.deliver(events, client)

    return asyncio.run(run())


def fail(destination: Amqp, events: Sequence[Event] = (SALE,)) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        deliver(destination, events)
    assert caught.value.exchange is not None
    assert "wrong-secret" not in f"{caught.value} {caught.value.exchange.said}"
    return caught.value


def test_every_hit_is_a_persistent_message(broker: RabbitMQ, config: dict[str, Any]) -> None:
    many = sales(50)
    receipt = deliver(make(config), [*many, SAMPLES["identify"]])
    assert receipt.refused == {}
    assert "51 of 51 confirmed" in receipt.exchange.said.response_body
    found = messages(broker, "sales")
    assert [message.properties["message_id"] for message in found] == [str(e.id) for e in many]
    assert {message.properties["delivery_mode"] for message in found} == {2}
    assert {message.content_type for message in found} == {"application/json"}
    (person,) = messages(broker, "people")
    body = json.loads(person.body)
    assert (body["id"], body["type"]) == (str(SAMPLES["identify"].id), "identify")
    assert body["payload"] == SAMPLES["identify"].payload


def test_a_message_without_a_queue_is_refused(broker: RabbitMQ, config: dict[str, Any]) -> None:
    page = SAMPLES["page"]
    receipt = deliver(make(config), [SALE, page])
    assert list(receipt.refused) == [page.id]
    assert "NO_ROUTE" in receipt.refused[page.id]
    assert len(messages(broker, "sales")) == 1


def test_one_event_whose_key_leads_nowhere_stops_no_other(config: dict[str, Any]) -> None:
    page = SAMPLES["page"]
    assert list(deliver(make(config), [page]).refused) == [page.id]


def test_where_no_message_has_a_queue_the_configuration_is_wrong(config: dict[str, Any]) -> None:
    caught = fail(make(config, routing_key="nowhere"), sales(3))
    assert isinstance(caught, SetupError)
    assert "NO_ROUTE" in str(caught)


def test_the_default_exchange_leads_to_a_queue(broker: RabbitMQ, config: dict[str, Any]) -> None:
    destination = make(config, exchange="", routing_key="sales")
    assert check_connection(destination).works
    deliver(destination, [SALE])
    assert len(messages(broker, "sales")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "wrong-secret"},
        {"vhost": "nowhere"},
        {"exchange": "nowhere"},
        {"exchange": "", "routing_key": "nowhere"},
        {"host": "no-such-host.invalid"},
    ],
)
def test_a_wrong_configuration_says_so(config: dict[str, Any], wrong: dict[str, Any]) -> None:
    assert isinstance(fail(make(config, **wrong)), SetupError)
    verdict = check_connection(make(config, **wrong))
    assert not verdict.works
    assert "wrong-secret" not in str(verdict)


def test_verify_publishes_nothing(broker: RabbitMQ, config: dict[str, Any]) -> None:
    assert check_connection(make(config)).message == "The exchange hits exists."
    assert messages(broker, "sales") == []


def test_a_broker_that_is_away_is_asked_again_later(config: dict[str, Any]) -> None:
    assert isinstance(fail(make(config, port=free_port())), RetryableError)


@pytest.mark.usefixtures("private_refused")
def test_a_private_broker_is_not_called(config: dict[str, Any]) -> None:
    assert "HITSTREAM_ALLOW_PRIVATE_DESTINATIONS" in str(fail(make(config)))


def test_a_routing_key_that_is_too_long_is_skipped(config: dict[str, Any]) -> None:
    long = replace(SALE, name="ü" * 128)
    assert "longer than 255 bytes" in make(config, routing_key="{name}").skip(long)
    assert make(config, routing_key="{name}").skip(SALE) == ""


@pytest.mark.parametrize("name", ["vhost", "exchange", "routing_key"])
def test_a_name_that_no_broker_takes_is_refused(name: str) -> None:
    values = {"host": "mq.example", "user": "u", "password": "p", "routing_key": "hits"}
    assert AmqpConfig({**values, name: "ü" * 127}).is_valid()
    assert [*AmqpConfig({**values, name: "ü" * 128}).errors] == [name]
