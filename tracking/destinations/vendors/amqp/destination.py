"""AMQP: each hit as a persistent message to an exchange of RabbitMQ or another AMQP 0-9-1 broker.

Source: the AMQP 0-9-1 specification's basic class (mandatory, message-id, delivery-mode) and
RabbitMQ's pages "Consumer Acknowledgements and Publisher Confirms"
(https://www.rabbitmq.com/docs/confirms; a persistent message is confirmed when it is on disk) and
"Publishers" (unroutable ones).

The client is aiormq, which runs on an event loop. kombu, which Celery installs, blocks, and on a
thread it could not be stopped at the timeout. After a crash a confirmed message may be sent again,
with the same message_id.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from yarl import URL

from tracking.destinations.contract.destination import Destination
from tracking.destinations.contract.non_http import need, perform, relaying
from tracking.destinations.spec.hit_json import hit_json
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.amqp.config import NAME_BYTES, AmqpConfig
from tracking.events import Event, Receipt
from tracking.exceptions import DeliveryError, RetryableError, SetupError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client

PERSISTENT = 2
CLOSE_SECONDS = 2.0
#: Bytes that the broker may send during a batch: every message may come back, as unroutable.
ANSWER_BYTES = 40_000_000
#: aiormq's exceptions that only a change of the configuration can resolve.
SETUP = frozenset(
    {"AuthenticationError", "ChannelAccessRefused", "ChannelNotFoundEntity", "ConnectionNotAllowed"}
    | {"ChannelPreconditionFailed", "IncompatibleProtocolError", "ProbableAuthenticationError"}
)


class Amqp(Destination):
    """AMQP: each hit in the JSON form of the Webhook. `request` describes the batch."""

    slug = "amqp"
    label = "AMQP"
    category = "connections"
    summary = gettext_lazy("Hits as messages to an exchange of RabbitMQ or another broker.")
    docs_url = "https://www.rabbitmq.com/docs/publishers"
    aliases = ("RabbitMQ",)
    Config = AmqpConfig

    idempotency = "message_id"
    max_batch = 1_000
    max_bytes = 16_000_000
    speaks_http = False

    @property
    def batch_size(self) -> int:
        return min(int(self.config.get("batch_size", 100)), self.max_batch)

    @property
    def timeout(self) -> float:
        return 20.0

    def skip(self, event: Event) -> str:
        if len(self._key(event).encode()) > NAME_BYTES:
            return f"The routing key would be longer than {NAME_BYTES} bytes."
        return super().skip(event)

    def request(self, events: Sequence[Event]) -> Request:
        messages = [
            {"routing_key": self._key(event), "message_id": event.id, "body": hit_json(event)}
            for event in events
        ]
        body = b"".join(msgspec.json.encode(message) + b"\n" for message in messages)
        return Request(method="PUBLISH", url=self._url, body=body)

    async def deliver(self, events: Sequence[Event], client: Client) -> Receipt:
        refused: dict[UUID, str] = {}

        async def work() -> str:
            async with self._channel() as channel:
                answers = await asyncio.gather(
                    *(self._publish(channel, event) for event in events), return_exceptions=True
                )
            refused.update(judge(events, answers))
            if refused and "{" not in self.config["routing_key"]:
                # A constant key is unroutable for every hit.
                raise SetupError(next(iter(refused.values())))
            return f"{len(events) - len(refused)} of {len(events)} confirmed"

        exchange = await perform(self, self.request(events), work(), explain)
        return Receipt(exchange=exchange, refused=refused)

    async def verify(self, client: Client) -> str:
        """Declare the exchange, or the queue behind the default exchange, passively: neither is
        created."""
        exchange, key = self.config.get("exchange") or "", self.config["routing_key"]

        async def look() -> str:
            async with self._channel() as channel:
                if exchange:
                    await channel.exchange_declare(exchange=exchange, passive=True)
                elif "{" not in key:
                    await channel.queue_declare(queue=key, passive=True)
            return "It exists."

        request = Request(method="DECLARE", url=self._url, body=b"")
        await perform(self, request, look(), explain)
        if exchange:
            return _("The exchange %(exchange)s exists.") % {"exchange": exchange}
        return _("The broker accepted the connection.")

    @property
    def _url(self) -> str:
        host = self.config["host"]
        place = f"[{host}]" if ":" in host else host
        path = "/".join(
            quote(self.config.get(name) or initial, safe="")
            for name, initial in (("vhost", "/"), ("exchange", ""))
        )
        return f"{self._scheme}://{place}:{self._port}/{path}"

    @property
    def _scheme(self) -> str:
        return "amqps" if self.config.get("tls") else "amqp"

    @property
    def _port(self) -> int:
        return int(self.config.get("port") or (5671 if self.config.get("tls") else 5672))

    def _key(self, event: Event) -> str:
        key: str = self.config["routing_key"]
        return key.replace("{type}", event.type).replace("{name}", event.name)

    @contextlib.asynccontextmanager
    async def _channel(self) -> AsyncIterator[Any]:
        """Yield a channel with publisher confirms, over a new connection through the relay."""
        need("aiormq", "amqp")
        async with (
            relaying(ANSWER_BYTES, self.config["host"], self._port) as relay,
            self._channel_through(relay.port) as channel,
        ):
            yield channel

    @contextlib.asynccontextmanager
    async def _channel_through(self, port: int) -> AsyncIterator[Any]:
        aiormq = need("aiormq", "amqp")
        url = URL.build(
            scheme=self._scheme,
            user=self.config["user"],
            password=self.config["password"],
            host="127.0.0.1",
            port=port,
            path="/" + quote(self.config.get("vhost") or "/", safe=""),
            query={"heartbeat": "0", "name": "Hitstream"},
            encoded=False,
        )
        secured = {"server_hostname": self.config["host"]} if self.config.get("tls") else {}
        connection = aiormq.Connection(url, **secured)
        try:
            await connection.connect()
            yield await connection.channel(publisher_confirms=True, on_return_raises=True)
        finally:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await connection.close()

    async def _publish(self, channel: Any, event: Event) -> None:
        spec = need("aiormq", "amqp").spec
        await channel.basic_publish(
            msgspec.json.encode(hit_json(event)),
            exchange=self.config.get("exchange") or "",
            routing_key=self._key(event),
            mandatory=True,
            wait=False,
            properties=spec.Basic.Properties(
                content_type="application/json",
                delivery_mode=PERSISTENT,
                message_id=str(event.id),
                message_type=event.type,
                timestamp=event.received_at,
                app_id="hitstream",
            ),
        )


def judge(events: Sequence[Event], answers: Sequence[BaseException | None]) -> dict[UUID, str]:
    """Return the events that no queue accepts. Raises any other error: all events are then sent
    again."""
    returned: dict[UUID, str] = {}
    for event, answer in zip(events, answers, strict=True):
        if type(answer).__name__ == "PublishError":
            returned[event.id] = f"No queue receives the message: {answer}"
        elif answer is not None:
            raise answer
    return returned


def explain(fault: Exception) -> DeliveryError | None:
    if isinstance(fault.__cause__, ssl.SSLCertVerificationError):
        return SetupError(f"The certificate of the broker was not accepted: {fault.__cause__}")
    if type(fault).__module__ != "aiormq.exceptions":
        return None
    if "Connection.OpenOk" in str(fault):
        # aiormq does not keep the broker's own message.
        return SetupError("The virtual host does not exist, or the user has no access to it.")
    message = " ".join(f"{type(fault).__name__}: {fault}".split())
    return SetupError(message) if type(fault).__name__ in SETUP else RetryableError(message)
