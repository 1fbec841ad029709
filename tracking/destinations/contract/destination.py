"""The contract of a destination: configuration in, events in, a request out, a receipt back.

A destination never touches the database or the queue. It is made from its cleaned configuration,
takes batches of events and either returns a Receipt or raises one of the three DeliveryErrors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from tracking.destinations.contract.config_form import ConfigForm
from tracking.destinations.transport.recorder import Recorder
from tracking.destinations.transport.request import Request
from tracking.events import TYPES, Event, Receipt

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client, Response


class Destination:
    """A vendor we know how to speak to.

    Subclasses declare the class attributes and write `request` and `verify`; most need nothing
    else. Whoever does not speak HTTP writes `deliver` too, and says in `request` what it comes to.
    """

    slug: ClassVar[str]
    label: ClassVar[str]
    docs_url: ClassVar[str]
    #: One or two white letters on a colour, by which operators find it.
    icon: ClassVar[str]
    colour: ClassVar[str]
    #: Further names by which a hit's `integrations` object may call it.
    aliases: ClassVar[tuple[str, ...]] = ()
    Config: ClassVar[type[ConfigForm]]

    #: The types of event that it has a use for: the others are skipped, with the reason.
    takes: ClassVar[frozenset[str]] = frozenset(TYPES)
    #: Where an event's id goes, by which the vendor tells a repeated one; empty if it cannot.
    idempotency: ClassVar[str]
    #: The most events and bytes of body that one request may carry.
    max_batch: ClassVar[int] = 1
    max_bytes: ClassVar[int] = 1_000_000
    #: Whether `request` is what goes over the wire; else it is a description of it.
    speaks_http: ClassVar[bool] = True
    #: The vendor's API roots by the configuration's `region`; "" where there is only one.
    hosts: ClassVar[Mapping[str, str]] = {}

    #: Django's templates would call a class.
    do_not_call_in_templates: ClassVar[bool] = True

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config

    @property
    def host(self) -> str:
        """The API root to call, without a slash at the end."""
        return self.hosts[self.config.get("region", "")]

    @property
    def batch_size(self) -> int:
        """How many events go into one request; an operator's choice may lower the maximum."""
        return self.max_batch

    @property
    def timeout(self) -> float:
        """Seconds until a request without a whole answer is given up."""
        return 10.0

    @property
    def secrets(self) -> frozenset[str]:
        """Every text that the configuration keeps secret."""
        return frozenset(
            text for name in self.Config.secret_names() for text in _texts(self.config.get(name))
        )

    def mask(self, text: str) -> str:
        """The text, fit to be stored and without any of the configuration's secrets."""
        if not text:
            return ""
        return Recorder(Request(url="", body=b"", secrets=self.secrets)).mask(text)

    def skip(self, event: Event) -> str:
        """Why the vendor has no use for the event, for the operator to read; empty to send it. It
        is counted by its words, so there is nothing of the event's own in it."""
        if event.type not in self.takes:
            return f"{self.label} has no use for events of type {event.type}."
        return ""

    def request(self, events: Sequence[Event]) -> Request:
        """The request that carries these events, its body the same for the same events."""
        raise NotImplementedError

    def receipt(self, events: Sequence[Event], response: Response) -> Receipt:
        """What the vendor's successful answer says of each event."""
        return Receipt(exchange=response.exchange)

    def batches(self, events: Sequence[Event]) -> Iterator[Sequence[Event]]:
        """The events in their order, cut so that each batch fits into one request.

        An event that is too large by itself comes alone: the vendor says what becomes of it.
        """
        for start in range(0, len(events), self.batch_size):
            yield from self._fit(events[start : start + self.batch_size])

    def _fit(self, events: Sequence[Event]) -> Iterator[Sequence[Event]]:
        if len(events) < 2 or len(self.request(events).body) <= self.max_bytes:
            yield events
            return
        middle = len(events) // 2
        yield from self._fit(events[:middle])
        yield from self._fit(events[middle:])

    async def verify(self, client: Client) -> str:
        """What a harmless call shows of the configuration, for the operator. Raises SetupError for
        a wrong one, or another DeliveryError."""
        raise NotImplementedError

    async def send(self, client: Client, request: Request) -> Response:
        """Send the request with the configuration's secrets masked in its record.

        Returns the response, whatever its status. Raises RetryableError or SetupError if no whole
        response arrives.
        """
        masked = replace(request, secrets=request.secrets | self.secrets)
        return await client.send(masked, timeout=self.timeout)

    async def ask(self, client: Client, request: Request) -> Response:
        """Send the request and return the vendor's successful response.

        Raises RetryableError, PermanentError or SetupError.
        """
        response = await self.send(client, request)
        response.raise_for_status()
        return response

    async def deliver(self, events: Sequence[Event], client: Client) -> Receipt:
        """Send one batch. Raises RetryableError, PermanentError or SetupError."""
        return self.receipt(events, await self.ask(client, self.request(events)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
