"""GET /v1/pixel/{type}?data=<base64>: an event from a place without scripts, such as a mail.

The answer is always a gif; its status says whether the hit is stored, X-Hitstream-Code why not.
"""

from __future__ import annotations

import base64
import binascii

from django.http import HttpResponse
from rest_framework.request import Request

from tracking.ingest.auth.client_ip import client_of
from tracking.ingest.errors import BadRequest, IngestError
from tracking.ingest.http.views import IngestView
from tracking.ingest.parse.body import BOM, MAX_EVENT
from tracking.ingest.parse.json_decoding import decode
from tracking.ingest.parse.segment_payload import read_event
from tracking.ingest.segment.query import query_value
from tracking.ingest.segment.writekey import other_key

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class PixelView(IngestView):
    type = ""
    http_method_names = ["get", "options"]  # noqa: RUF012 (Django's own attribute)

    def get(self, request: Request) -> HttpResponse:
        django_request = request._request
        body = decode_data(query_value(django_request, "data"))
        payload = decode(body, "`data`")
        opened = self.admit(request, other_key(django_request, payload))
        sender = client_of(django_request.META, opened)
        arrival = read_event(payload, body, sender, type=self.type)
        self.store(arrival)
        return gif(200)

    def refuse(self, error: IngestError) -> HttpResponse:
        response = gif(error.status)
        response.headers["X-Hitstream-Code"] = error.code
        for name, value in error.headers().items():
            response.headers[name] = value
        return response


def decode_data(data: str) -> bytes:
    """Return the bytes of the base64, in either alphabet, padded or not. Raises BadRequest."""
    # In a query string a plus sign is a blank.
    plain = data.replace(" ", "+").translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        body = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("data_invalid", "`data` must be the base64 of a JSON object.") from None
    if len(body) > MAX_EVENT:
        raise BadRequest("body_too_large", f"`data` is more than {MAX_EVENT:,} bytes.")
    return body.removeprefix(BOM)


def gif(status: int) -> HttpResponse:
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(GIF, content_type="image/gif", status=status, headers=headers)
