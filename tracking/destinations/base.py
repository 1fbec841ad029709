"""The contract of a destination: configuration in, events in, a request out, a receipt back.

A destination never touches the database or the queue. It is made from its cleaned configuration,
takes batches of events and either returns a Receipt or raises one of the three DeliveryErrors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms

from tracking.events import Event, Receipt

if TYPE_CHECKING:
    from tracking.destinations.http import Client, Response


class SecretField(forms.CharField):
    """A credential: stored encrypted, never shown again, masked wherever a request is recorded."""

    widget: forms.Widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})

    def clean(self, value: Any) -> Any:
        return super().clean("" if str(value or "").strip() == "-" else value)


class ConfigForm(forms.Form):
    """A destination's configuration as the operator fills it in; every cleaned value is JSON.

    A plain field left empty takes its initial value. A secret left empty keeps the stored one, and
    a single "-" removes it: `stored` names the secrets that the integration has.
    `issued` holds secrets that the form made itself, by field name, to be shown once.
    """

    issued: dict[str, str]

    def __init__(self, *args: Any, stored: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.issued = {}
        self.stored = self.secret_names() & frozenset(stored)
        self.removed = {name for name in self.secret_names() if self._given(name) == "-"}
        for name in self.stored - self.removed:
            self.fields[name].required = False

    @classmethod
    def secret_names(cls) -> frozenset[str]:
        return frozenset(
            name for name, item in cls.base_fields.items() if isinstance(item, SecretField)
        )

    def split(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The cleaned values: what may be stored in the clear, and the secrets that were given."""
        names = self.secret_names()
        values = self.cleaned_data
        plain = {name: value for name, value in values.items() if name not in names}
        return plain, {name: values[name] for name in sorted(names) if values.get(name)}

    def merge_secrets(self, present: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """All secrets from now on; `present` opens the stored ones, only if one is to be kept."""
        given = self.split()[1]
        kept = self.stored - self.removed - frozenset(given)
        return {**({k: v for k, v in present().items() if k in kept} if kept else {}), **given}

    def clean(self) -> dict[str, Any]:
        for name, item in self.fields.items():
            if self.cleaned_data.get(name) in item.empty_values and item.initial is not None:
                self.cleaned_data[name] = item.initial
        return self.cleaned_data

    def _given(self, name: str) -> str:
        raw = self.fields[name].widget.value_from_datadict(
            self.data, self.files, self.add_prefix(name)
        )
        return str(raw or "").strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request to a vendor.

    In the record of the attempt the values of `secret_headers` and of the URL's `secret_query`
    are masked, and each of `secrets` wherever it stands.
    """

    url: str
    body: bytes = field(repr=False)
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_headers: frozenset[str] = frozenset()
    secret_query: frozenset[str] = frozenset()
    secrets: frozenset[str] = field(default=frozenset(), repr=False)


class Destination:
    """A vendor we know how to speak to.

    Subclasses declare the class attributes and write `request`; most need nothing else.
    `aliases` are further names by which a hit's `integrations` object may call the destination.
    """

    slug: ClassVar[str]
    label: ClassVar[str]
    docs_url: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    Config: ClassVar[type[ConfigForm]]

    #: The most events and bytes of body that one request may carry.
    max_batch: ClassVar[int] = 1
    max_bytes: ClassVar[int] = 1_000_000

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config

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
        from tracking.destinations.record import Recorder  # noqa: PLC0415 (which needs a Request)

        return Recorder(Request(url="", body=b"", secrets=self.secrets)).mask(text)

    def skip(self, event: Event) -> str:
        """Why the vendor has no use for the event, for the operator to read; empty to send it."""
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

    async def deliver(self, events: Sequence[Event], client: Client) -> Receipt:
        """Send one batch. Raises RetryableError, PermanentError or SetupError."""
        request = replace(self.request(events), secrets=self.secrets)
        response = await client.send(request, timeout=self.timeout)
        response.raise_for_status()
        return self.receipt(events, response)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
