"""Segment-compatible: hits to Segment, RudderStack, Jitsu or another Hitstream, in the form of
their SDKs.

Source: Segment's page "HTTP API Source"
(https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/), sections "Basic
authentication", "Max request size" (500 KB per request, 32 KB per event), "Batch", "Historical
import" and "Errors", and "Spec: Common Fields", section "Timestamps": Segment calculates the time
as receivedAt - (sentAt - originalTimestamp), which here would add the time that a hit waited; so it
receives the `timestamp` alone, as for a historical import. RudderStack keeps the `timestamp` that
it receives (rudder-server, processor/processor.go, enhanceWithTimeFields), and so does Hitstream
beside an `originalTimestamp`. RudderStack's page "HTTP API", section "API limits": 32 KB per call.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.coerce import as_object
from tracking.destinations.spec.ids import someone, usable
from tracking.destinations.transport.http import RESPONSE_LIMIT
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.segment.config import RECEIVERS, SegmentConfig
from tracking.events import Event, Receipt
from tracking.exceptions import PermanentError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client, Response

TIMES = ("timestamp", "originalTimestamp", "sentAt")
#: Maximum number of bytes of an event that a receiver documents. Hitstream takes a hit of /track
#: and what forwarding adds to it.
EVENT_LIMITS = {"segment": 32 * 1024, "rudderstack": 32 * 1024, "hitstream": 72 * 1024}
#: More bytes than a message has beside the payload and the user agent.
ADDED = 4 * 1024


class Segment(Destination):
    """Segment-compatible: batches to {url}/v1/batch. A hit in Segment's shape is forwarded as it
    arrived, with the times that it has here and, if they are missing, the sender's address and user
    agent; other hits are mapped."""

    slug = "segment"
    label = "Segment-compatible"
    category = "connections"
    summary = gettext_lazy("Everything, to any service that takes Segment's API.")
    docs_url = (
        "https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#batch"
    )
    aliases = ("Segment", "Segment.io", *list(RECEIVERS.values())[1:])
    Config = SegmentConfig

    idempotency = "messageId"
    #: The batch size of Segment's SDK for Python.
    max_batch = 100
    max_bytes = 500_000

    def skip(self, event: Event) -> str:
        if event.type == "track" and not event.name:
            return "A track event requires a name."
        limit = EVENT_LIMITS.get(self.config["receiver"])
        if limit and self._size(event, limit) > limit:
            return f"{RECEIVERS[self.config['receiver']]} accepts events of up to {limit:,} bytes."
        return super().skip(event)

    def _size(self, event: Event, limit: int) -> int:
        """Return the bytes of the event's message, or, far below the limit, fewer."""
        size = len(msgspec.json.encode(event.payload)) + len(event.user_agent.encode())
        return size if size + ADDED < limit else len(msgspec.json.encode(self._message(event)))

    def request(self, events: Sequence[Event]) -> Request:
        return self._post([self._message(event) for event in events])

    def receipt(self, events: Sequence[Event], response: Response) -> Receipt:
        """Return the events that a Hitstream refuses: {"results": [{index, code, message}]}.

        Raises PermanentError if the response is cut off: its missing part may name others.
        """
        if len(response.body) >= RESPONSE_LIMIT:
            message = "The response is too long to read which hits were refused."
            raise PermanentError(message, exchange=response.exchange)
        refused = {}
        for result in _results(response.body):
            index = result.get("index")
            if isinstance(index, int) and 0 <= index < len(events):
                refused[events[index].id] = f"{result.get('code')}: {result.get('message')}"
        return Receipt(exchange=response.exchange, refused=refused)

    async def verify(self, client: Client) -> str:
        """Send an empty batch. RudderStack and Hitstream check the key and then report that the
        batch is empty; Segment answers 200 to any key."""
        response = await self.send(client, self._post([]))
        if response.status == 400 and b"empty" in response.body.lower():
            return _("The write key is valid.")
        response.raise_for_status()
        name = RECEIVERS[self.config["receiver"]]
        return _(
            "%(receiver)s answered %(status)s to an empty batch. That does not prove the write"
            " key: send a hit and look for it in %(receiver)s."
        ) % {"receiver": name, "status": response.status}

    def _post(self, batch: list[dict[str, Any]]) -> Request:
        key = base64.b64encode(f"{self.config['write_key']}:".encode()).decode()
        return Request(
            url=f"{self.config['url'].rstrip('/')}/v1/batch",
            body=msgspec.json.encode({"batch": batch}),
            headers={"Content-Type": "application/json", "Authorization": f"Basic {key}"},
            secret_headers=frozenset({"Authorization"}),
        )

    def _message(self, event: Event) -> dict[str, Any]:
        is_mapped = isinstance(event.payload.get("event"), dict)
        came = map_hit(event) if is_mapped else event.payload
        message = {name: value for name, value in came.items() if name not in TIMES}
        message |= {"type": event.type, "messageId": event.hit_id}
        sender = {"ip": event.ip, "userAgent": event.user_agent}
        context = {name: value for name, value in sender.items() if value}
        if context or event.context:
            message["context"] = {**as_object(message.get("context")), **context, **event.context}
        if self.config["receiver"] != "hitstream":
            for name in ("userId", "anonymousId"):
                own = message.get(name)
                if isinstance(own, str) and not usable(own) and someone(event):
                    del message[name]
        return message | self._times(event)

    def _times(self, event: Event) -> dict[str, str]:
        """Return the event's times. Another Hitstream gets those that the sender wrote, other
        receivers none after the receipt."""
        times = {"timestamp": _iso(event.occurred_at)}
        if self.config["receiver"] == "segment":
            return times
        original = event.payload.get("originalTimestamp") or event.payload.get("timestamp")
        sent_at = event.sent_at
        if self.config["receiver"] != "hitstream":
            sent_at = min(sent_at, event.received_at)
            original = original if event.occurred_at < event.received_at else ""
        return {
            **times,
            "originalTimestamp": original or times["timestamp"],
            "sentAt": _iso(sent_at),
        }


def map_hit(event: Event) -> dict[str, Any]:
    """Return a hit of the public HTTP API as Segment's track call."""
    traits = {k: v for k, v in event.traits.items() if k not in {"userId", "anonymousId"}}
    ids = {"userId": event.user_id, "anonymousId": event.anonymous_id}
    message: dict[str, Any] = {
        **{name: value for name, value in ids.items() if value},
        "event": event.name,
        "properties": event.properties,
        **({"context": {"traits": traits}} if traits else {}),
    }
    if event.email_hash:
        # Where another Hitstream looks for it; other receivers ignore unknown keys.
        message["emailHash"] = event.email_hash
    if event.payload.get("integrations"):
        message["integrations"] = event.payload["integrations"]
    return message


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _results(body: bytes) -> list[dict[str, Any]]:
    try:
        results = msgspec.json.decode(body)["results"]
    except (ValueError, TypeError, KeyError):
        return []
    return [each for each in results if isinstance(each, dict)]
