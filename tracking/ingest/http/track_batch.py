"""POST /track/batch: many hits of the public HTTP API in one request, each with its own result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import cast

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.request import Request

from tracking.ingest.auth.authentication import BasicTokenAuthentication, TokenAccess
from tracking.ingest.auth.client_ip import client_of
from tracking.ingest.auth.rate_limit import is_within_limit, too_many
from tracking.ingest.errors import UnsupportedMediaType
from tracking.ingest.http.views import IngestView
from tracking.ingest.parse.body import LINE_TYPES, MAX_BATCH, MAX_BODY, read
from tracking.ingest.parse.json_decoding import as_sent, decode_batch
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.bulk import ItemResult, check_count, read_all, store_all


class BatchBody(msgspec.Struct):
    """The body as one JSON document; the hits in it are parsed later, one by one."""

    hits: list[msgspec.Raw]


DECODER = msgspec.json.Decoder(BatchBody)


class TrackBatchView(IngestView):
    authentication_classes = (BasicTokenAuthentication,)
    waits = True

    def post(self, request: Request) -> HttpResponse:
        django_request, opened = request._request, cast(TokenAccess, request.auth)
        hits = split(django_request, read(django_request, MAX_BATCH))
        if not is_within_limit(opened, django_request.META, len(hits)):
            raise too_many()
        sender = client_of(django_request.META, opened)
        found = read_all(hits, partial(parse, sender=sender), MAX_BODY)
        return answer(store_all(found, opened.token_id, hits, django_request.META))


def split(request: HttpRequest, body: bytes) -> list[bytes]:
    """Return the JSON of each hit. Raises BadRequest, also for none or too many, and
    UnsupportedMediaType."""
    if request.content_type in LINE_TYPES:
        hits = [line for line in body.split(b"\n") if line.strip()]
    elif request.content_type == "application/json":
        document = decode_batch(DECODER, body, 'an object with a list: {"hits": […]}')
        hits = as_sent(body, document.hits)
    else:
        raise UnsupportedMediaType(
            "content_type_unsupported",
            "The Content-Type must be application/json or application/x-ndjson.",
        )
    check_count(len(hits))
    return hits


def answer(results: Sequence[ItemResult]) -> HttpResponse:
    """Return the answer with each result; 400 if nothing was stored."""
    counts = Counter(result.describe()["status"] for result in results)
    content = {
        **{status: counts[status] for status in ("stored", "duplicate", "refused")},
        "results": [result.describe() for result in results],
    }
    if counts["refused"] < len(results):
        return JsonResponse(content)
    refused = {"code": "nothing_stored", "message": "None of the hits could be stored."}
    return JsonResponse({**refused, **content}, status=400)
