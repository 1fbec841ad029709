"""The operations for the SDKs of Segment, RudderStack and Jitsu."""

from __future__ import annotations

from typing import Any

from tracking.openapi import samples
from tracking.openapi.batches import OF_BATCH, OF_ONE, all_refused, answered, exact, listed
from tracking.openapi.batches import refused as refused_event
from tracking.openapi.operation import (
    ALWAYS,
    IN_HEADER,
    READING,
    READING_ONE,
    STORING,
    STORING_ONE,
    ApiOperation,
    media,
)
from tracking.openapi.schemas import event_of, ref

WRITE_KEYS: list[dict[str, list[str]]] = [{"writeKey": []}, {"writeKeyInQuery": []}]
SUCCESS = answered(
    exact({"success": {"const": True}}),
    "The event is committed, together with every delivery that it queues; or it was stored before "
    "under the same messageId.",
    stored={"success": True},
)
KEYS = IN_HEADER | {"origin_refused"}
#: The codes that refuse an event of this type.
EVENT_CODES = frozenset({"field_invalid", "field_too_long", "user_required"})
BY_TYPE = {"track": {"event_required"}, "group": {"field_required"}, "alias": {"field_required"}}
OF_ANY = OF_ONE | {"field_required", "type_invalid"}
MISSING_USER = {
    "index": 1,
    "code": "user_required",
    "message": "A userId or an anonymousId is required.",
}
WORDS = {
    "track": "what somebody did",
    "identify": "who somebody is",
    "page": "a page that was seen",
    "screen": "a screen of an app that was seen",
    "group": "which group somebody belongs to",
    "alias": "that two ids are the same somebody",
}


def short(path: str) -> bool:
    return len(path.rpartition("/")[2]) == 1


def event(view: Any, path: str) -> ApiOperation:
    return ApiOperation(
        tag="Segment, short" if short(path) else "Segment",
        summary=f"{view.type.capitalize()}: {WORDS[view.type]}",
        description="At most 72 KB (73,728 bytes). The body is JSON whatever its Content-Type "
        "says, plain or gzip. The write key is in Basic, else in the body, else in the query.",
        takes={"application/json": media(event_of(view.type), an_event=samples.EVENTS[view.type])},
        security=WRITE_KEYS,
        answers=SUCCESS,
        codes=STORING_ONE | READING_ONE | KEYS | EVENT_CODES | BY_TYPE.get(view.type, set()),
    )


def jitsu(view: Any, path: str) -> ApiOperation:
    described = event(view, path)
    policy = {
        "name": "X-IP-Policy",
        "in": "header",
        "description": "What becomes of the sender's address; the token's own policy may be "
        "stricter.",
        "schema": {"type": "string", "examples": ["keep", "stripLastOctet", "remove"]},
    }
    where = "from a server" if "/s2s/" in path else "from a page"
    return ApiOperation(
        tag="Jitsu",
        summary=f"{described.summary}, {where}",
        description=described.description,
        takes=described.takes,
        parameters=[policy],
        security=[{"jitsuWriteKey": []}, *WRITE_KEYS],
        answers=described.answers,
        codes=described.codes,
    )


def batch(view: Any, path: str) -> ApiOperation:
    codes = STORING | READING | KEYS | OF_BATCH
    results = {"results": listed(refused_event(OF_ANY))}
    return ApiOperation(
        tag="RudderStack" if "beacon" in path else "Segment, short" if short(path) else "Segment",
        summary="Many events"
        + view.historical * " of the past"
        + ("beacon" in path) * ", as a page is left",
        description="At most 2,500 events and 500 KB (512,000 bytes), each event at most "
        "72 KB (73,728 bytes). "
        "`context` and `integrations` hold for all events that do not say otherwise. A bad event "
        "never costs the others: `results` names those that were refused. 200 if at least one "
        "is stored."
        + view.historical
        * " Events keep their timestamps: nobody's clock is corrected.",
        takes={"application/json": media(ref("SegmentBatch"), two_events=samples.EVENT_BATCH)},
        security=WRITE_KEYS,
        answers={
            **answered(
                exact({"success": {"const": True}, **results}, optional=["results"]),
                "What is not among the refused is committed.",
                all_stored={"success": True},
                one_refused={"success": True, "results": [MISSING_USER]},
            ),
            **all_refused(
                results,
                codes,
                message="None of the events could be stored. The first: A userId or an "
                "anonymousId is required.",
                results=[{**MISSING_USER, "index": 0}],
            ),
        },
        codes=codes,
    )


def metrics(view: Any, path: str) -> ApiOperation:
    return ApiOperation(
        tag="Segment",
        summary="What analytics.js says of itself",
        description="Accepted and dropped. No token is required.",
        answers=answered(exact({"success": {"const": True}}), "Always.", ignored={"success": True}),
        codes=ALWAYS | {"body_incomplete", "body_timeout"},
    )
