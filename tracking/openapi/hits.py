"""The public HTTP API, and what pages send without a secret."""

from __future__ import annotations

from tracking.ingest.http.views import IngestView
from tracking.openapi import samples
from tracking.openapi.batches import (
    COUNT,
    INDEX,
    OF_BATCH,
    OF_ONE,
    all_refused,
    answered,
    exact,
    listed,
)
from tracking.openapi.batches import refused as refused_hit
from tracking.openapi.operation import (
    API_TOKEN,
    IN_HEADER,
    READING,
    READING_ONE,
    STORING,
    STORING_ONE,
    ApiOperation,
    in_path,
    media,
)
from tracking.openapi.schemas import Schema, ref

HIT_CODES = frozenset({"event_required", "field_invalid", "field_too_long", "user_required"})
BATCH_CODES = OF_BATCH | {"content_type_unsupported"}
COMMITTED = {
    "204": {
        "description": "The hit is committed, with every delivery that it queues; or it was "
        "stored before under the same hitId."
    }
}
STORED: Schema = exact(
    {"index": INDEX, "hitId": {"type": "string"}, "status": {"enum": ["stored", "duplicate"]}}
)
COUNTED: dict[str, Schema] = {
    "stored": COUNT,
    "duplicate": COUNT,
    "refused": COUNT,
    "results": listed({"anyOf": [STORED, refused_hit(OF_ONE, status={"const": "refused"})]}),
}
MISSING_USER = {
    "index": 1,
    "status": "refused",
    "code": "user_required",
    "message": "A userId or an anonymousId is required, best in `event.user`.",
}


def track(view: IngestView, path: str) -> ApiOperation:
    return ApiOperation(
        tag="Hits",
        summary="Send a hit",
        description="One JSON object of at most 64 KB (65,536 bytes), plain, gzip or chunked.",
        takes={
            "application/json": media(
                ref("Hit"),
                the_documented_sample=samples.HIT,
                the_least=samples.SMALLEST,
                to_one_integration_alone=samples.SWITCHED,
            )
        },
        security=[API_TOKEN],
        answers=COMMITTED,
        codes=STORING_ONE | READING_ONE | IN_HEADER | HIT_CODES | {"content_type_unsupported"},
    )


def track_batch(view: IngestView, path: str) -> ApiOperation:
    codes = STORING | READING | IN_HEADER | BATCH_CODES
    stored = {"index": 0, "hitId": samples.HIT["hitId"], "status": "stored"}
    first = {**MISSING_USER, "index": 0}
    return ApiOperation(
        tag="Hits",
        summary="Send many hits",
        description="At most 2,500 hits and 500 KB (512,000 bytes), each hit at most 64 KB. A bad "
        "hit never costs the others: each has its own result, in their order. 200 if at least one "
        "is stored.",
        takes={
            "application/json": media(ref("Hits"), two_hits=samples.SEVERAL),
            "application/x-ndjson": media(
                {"type": "string", "description": "A hit a line."}, two_hits=samples.LINES
            ),
        },
        security=[API_TOKEN],
        answers={
            **answered(
                exact(COUNTED),
                "What became of each. What is stored is committed.",
                one_of_two={
                    "stored": 1,
                    "duplicate": 0,
                    "refused": 1,
                    "results": [stored, MISSING_USER],
                },
            ),
            **all_refused(
                COUNTED,
                codes,
                message="None of the hits could be stored.",
                stored=0,
                duplicate=0,
                refused=1,
                results=[first],
            ),
        },
        codes=codes,
    )


def collect(view: IngestView, path: str) -> ApiOperation:
    by_path = path.endswith("{path}")
    described = (
        "As `/collect`, with the token named by its first-party path instead of a project id."
        if by_path
        else "What the vendor's JavaScript SDK sends, unmodified: the token is named by its public "
        "project id in the body."
    )
    named = frozenset() if by_path else IN_HEADER
    return ApiOperation(
        tag="Browsers",
        summary="Send a hit from a page" + by_path * ", by a path of the token's own",
        description=f"{described} The body is JSON whatever its Content-Type says: browsers send "
        "text/plain, so that they need not ask first. A token may take hits from some sites only.",
        parameters=[in_path("path", "The token's first-party path.", pattern="^[-a-zA-Z0-9_]+$")]
        if by_path
        else [],
        takes={
            "application/json": media(ref("Hit"), the_least=samples.SMALLEST)
            if by_path
            else media(ref("CollectedHit"), what_the_SDK_sends=samples.COLLECTED)
        },
        answers=COMMITTED,
        codes=STORING_ONE | READING_ONE | HIT_CODES | named | {"origin_refused"},
    )
