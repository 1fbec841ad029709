"""The routes of SDK events: one event, a batch, and Jitsu's route.

Success is 200 with JSON: with a 204 RudderStack's SDK for Python sends for ever and Jitsu's fails.
The body is JSON whatever its Content-Type says: RudderStack's SDK for Node calls it a form.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request

from tracking.ingest.auth.authentication import TokenAccess
from tracking.ingest.auth.client_ip import client_of
from tracking.ingest.errors import BadRequest
from tracking.ingest.http.views import IngestView
from tracking.ingest.parse.arrival import ClientInfo
from tracking.ingest.parse.body import MAX_BATCH, MAX_EVENT, read
from tracking.ingest.parse.json_decoding import as_sent, decode, decode_batch
from tracking.ingest.parse.segment_payload import Shared, parse_event, read_event
from tracking.ingest.segment.writekey import header_key, other_key
from tracking.ingest.write.bulk import ItemResult, check_count, read_all, store_all
from tracking.models.tokens.privacy import IpPolicy

#: Bytes: the shared fields of a batch are stored with each event; this bounds their sum.
MAX_SHARED = 16 * MAX_BATCH
SUCCESS = b'{"success": true}'
#: The IP policies that Jitsu's SDK may request; a token's own policy may be stricter.
JITSU_POLICIES = {"remove": IpPolicy.DROP, "stripLastOctet": IpPolicy.ANONYMISE}
STRICTNESS = (IpPolicy.KEEP, IpPolicy.ANONYMISE, IpPolicy.DROP)


def succeed() -> HttpResponse:
    return HttpResponse(SUCCESS, content_type="application/json")


class EventView(IngestView):
    """One event, of the route's type."""

    type = ""

    def post(self, request: Request) -> HttpResponse:
        django_request = request._request
        key = header_key(django_request)
        opened = self.admit(request, key) if key else None
        body = read(django_request, MAX_EVENT)
        payload = decode(body)
        opened = opened or self.admit(request, other_key(django_request, payload))
        arrival = read_event(payload, body, self.sender(request, opened), type=self.type)
        self.store(arrival)
        return succeed()

    def sender(self, request: Request, opened: TokenAccess) -> ClientInfo:
        return client_of(request._request.META, opened)


class JitsuView(EventView):
    def sender(self, request: Request, opened: TokenAccess) -> ClientInfo:
        environ = request._request.META
        requested = JITSU_POLICIES.get(environ.get("HTTP_X_IP_POLICY", ""), IpPolicy.KEEP)
        strictest = max(requested, IpPolicy(opened.ip_policy), key=STRICTNESS.index)
        return client_of(environ, opened, ip_policy=strictest.value)


NONE = msgspec.Raw(b"null")


class SegmentBatch(msgspec.Struct, rename="camel"):
    """The body of a batch; its events are parsed later, like a single event."""

    batch: list[msgspec.Raw]
    context: msgspec.Raw = NONE
    integrations: msgspec.Raw = NONE
    sent_at: Any = None
    write_key: Any = None


DECODER = msgspec.json.Decoder(SegmentBatch)


class BatchView(IngestView):
    """Events of any type. A bad event never costs the others."""

    historical = False
    waits = True

    def post(self, request: Request) -> HttpResponse:
        django_request = request._request
        key = header_key(django_request)
        body = read(django_request, MAX_BATCH)
        batch = decode_batch(DECODER, body, 'an object with a list: {"batch": […]}')
        check_shared(batch)
        key = key or other_key(django_request, {"writeKey": batch.write_key})
        opened = self.admit(request, key, hits=len(batch.batch))
        # After authentication: an SDK sends an empty batch to test its key.
        check_count(len(batch.batch))
        shared = Shared(
            context=decode_shared(batch.context, "`context`"),
            integrations=decode_shared(batch.integrations, "`integrations`"),
            sent_at=batch.sent_at,
            historical=self.historical,
        )
        sender = client_of(django_request.META, opened)
        events = as_sent(body, batch.batch)
        found = read_all(events, partial(parse_event, sender=sender, shared=shared), MAX_EVENT)
        return answer(store_all(found, opened.token_id, events, django_request.META))


def check_shared(batch: SegmentBatch) -> None:
    """Raise BadRequest if the shared fields would make the stored events much larger than the
    request."""
    size = len(bytes(batch.context)) + len(bytes(batch.integrations))
    if size > MAX_EVENT or size * len(batch.batch) > MAX_SHARED:
        raise BadRequest(
            "batch_too_large",
            f"What the batch shares is {size:,} bytes; the limit is {MAX_EVENT:,}, and "
            f"{MAX_SHARED:,} for all of its events together.",
        )


def decode_shared(raw: msgspec.Raw, what: str) -> dict[str, Any] | None:
    """Return an object that holds for all events, or None. Raises BadRequest."""
    if raw == NONE:
        return None
    if not bytes(raw).startswith(b"{"):
        raise BadRequest("batch_invalid", f"{what} must be an object.")
    return decode(bytes(raw), what)


def answer(results: Sequence[ItemResult]) -> HttpResponse:
    """Return the answer, which names each refused event; 400 if nothing was stored."""
    refused = [
        {"index": result.index, "code": result.error.code, "message": result.error.message}
        for result in results
        if result.error is not None
    ]
    if len(refused) < len(results):
        return JsonResponse({"success": True, "results": refused}) if refused else succeed()
    first = refused[0]
    return JsonResponse(
        {
            "code": "nothing_stored",
            "message": f"None of the events could be stored. The first: {first['message']}",
            "results": refused,
        },
        status=400,
    )


class MetricsView(IngestView):
    """What analytics.js reports about itself: accepted, and dropped."""

    def post(self, request: Request) -> HttpResponse:
        return succeed()
