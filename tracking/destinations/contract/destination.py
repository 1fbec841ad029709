"""The contract of a destination: configuration in, events in, a request out, a receipt back.

A destination never touches the database or the queue. It is created from its cleaned configuration,
takes batches of events and either returns a Receipt or raises one of the three DeliveryErrors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.safestring import SafeString

from tracking.destinations.contract.assets import inline_icon, letter_icon, read_beside
from tracking.destinations.contract.config_form import ConfigForm
from tracking.destinations.spec.omissions import LeftOut, Rule
from tracking.destinations.transport.recorder import Recorder
from tracking.destinations.transport.request import Request
from tracking.events import TYPES, Event, Receipt

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from tracking.destinations.transport.http import Client, Response


class Destination:
    """A vendor, and how to send events to it.

    Subclasses declare the class attributes and implement `request` and `verify`; most need nothing
    else. A destination that does not speak HTTP also implements `deliver`; its `request` then
    describes what `deliver` does.
    """

    slug: ClassVar[str]
    label: ClassVar[str]
    docs_url: ClassVar[str]
    #: The group in which operators find it, of CATEGORIES, and what it does, in one sentence.
    category: ClassVar[str] = "other"
    summary: ClassVar[StrOrPromise] = ""
    #: The icon without an icon.svg beside the module: one or two white letters (default: the
    #: label's first two) on a colour.
    icon: ClassVar[str] = ""
    colour: ClassVar[str] = "#5b6470"
    #: Further names for the destination in the `integrations` object of a hit.
    aliases: ClassVar[tuple[str, ...]] = ()
    Config: ClassVar[type[ConfigForm]]

    #: The event types that the vendor accepts. Events of other types are skipped, with the reason.
    takes: ClassVar[frozenset[str]] = frozenset(TYPES)
    #: The field that carries the event's id, by which the vendor recognises duplicates; empty if
    #: there is none.
    idempotency: ClassVar[str]
    #: Maximum number of events, and of bytes in the body, per request.
    max_batch: ClassVar[int] = 1
    max_bytes: ClassVar[int] = 1_000_000
    #: Whether `request` is sent as it is. If False, it only describes what `deliver` does.
    speaks_http: ClassVar[bool] = True
    #: The vendor's API roots by the configuration's `region`; the key is "" if there is only one.
    hosts: ClassVar[Mapping[str, str]] = {}

    #: Every rule by which a value of the sender may be left out of a request.
    rules: ClassVar[tuple[Rule, ...]] = ()

    #: Without this Django's templates would call the class.
    do_not_call_in_templates: ClassVar[bool] = True

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config

    @property
    def host(self) -> str:
        """The root URL of the API, without a trailing slash."""
        return self.hosts[self.config.get("region", "")]

    @property
    def batch_size(self) -> int:
        """Number of events per request. The operator may choose fewer than `max_batch`."""
        return self.max_batch

    @property
    def timeout(self) -> float:
        """Seconds after which a request without a complete response is abandoned."""
        return 10.0

    @property
    def secrets(self) -> frozenset[str]:
        """Every string in the secret fields of the configuration."""
        return frozenset(
            text for name in self.Config.secret_names() for text in _texts(self.config.get(name))
        )

    def mask(self, text: str) -> str:
        """Return the text with the configuration's secrets masked and without characters that
        Postgres cannot store."""
        if not text:
            return ""
        return Recorder(Request(url="", body=b"", secrets=self.secrets)).mask(text)

    @classmethod
    def icon_svg(cls) -> SafeString:
        """Return the icon as an <svg> element: icon.svg beside the module, else the letters."""
        if svg := read_beside(cls, "icon.svg"):
            return inline_icon(svg)
        return letter_icon(cls.icon or cls.label[:2], cls.colour)

    @classmethod
    def notes(cls) -> str:
        """Return NOTES.md beside the module, Markdown for operators; "" without one."""
        return read_beside(cls, "NOTES.md")

    def skip(self, event: Event) -> str:
        """Return why the vendor has no use for the event, as a sentence for the operator; "" to
        send it.

        Skipped events are counted by this sentence, so it must not contain values of the event.
        """
        if event.type not in self.takes:
            return f"{self.label} does not accept events of type {event.type}."
        return ""

    def left_out(self, event: Event) -> LeftOut:
        """Return the values of the event's properties and traits that its request lacks, with the
        rule for each. Values that are only written otherwise, as text or hashed, are not in it."""
        return {}

    def request(self, events: Sequence[Event]) -> Request:
        """Return the request that carries these events. The same events must give the same body."""
        raise NotImplementedError

    def receipt(self, events: Sequence[Event], response: Response) -> Receipt:
        """Return what the vendor's successful response states about each event."""
        return Receipt(exchange=response.exchange)

    def batches(self, events: Sequence[Event]) -> Iterator[Sequence[Event]]:
        """Yield the events in their order, split so that each batch fits into one request.

        An event that is too large by itself forms a batch of its own: the vendor decides about it.
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
        """Check the configuration by a call without side effects. Returns a sentence for the
        operator. Raises SetupError if the configuration is wrong, or another DeliveryError."""
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
