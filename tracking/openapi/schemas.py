"""The bodies as JSON Schema: what a schema allows is accepted, what it forbids is refused.

Free-form parts have no type, since nothing in them is a reason to refuse a hit.
"""

from __future__ import annotations

from typing import Any

from tracking.events import TYPES
from tracking.ingest.parse.fields import MAX_TEXT

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def holding(name: str, schema: Schema) -> Schema:
    """Return the schema of an object with these fields."""
    return {"type": "object", "required": [name], "properties": {name: schema}}


TEXT: Schema = {"type": ["string", "number", "null"], "maxLength": MAX_TEXT}
SOME_TEXT: Schema = {"type": ["string", "number"], "minLength": 1}

ID: Schema = {**TEXT, "description": "Text; a number is taken as its digits, null as absent."}
USER: Schema = {
    "description": "Who did it: an object, free-form but for the two ids.",
    "properties": {"userId": ref("Id"), "anonymousId": ref("Id")},
}
IDENTIFIED: Schema = {
    "description": "A userId or an anonymousId is there.",
    "anyOf": [holding(name, SOME_TEXT) for name in ("userId", "anonymousId")],
}
EVENT: Schema = {
    "type": "object",
    "description": "What happened, free-form.",
    "properties": {
        "name": {"description": "Text; it can be searched for.", "maxLength": MAX_TEXT},
        "user": ref("User"),
    },
}
TIME: Schema = {
    "type": ["string", "null"],
    "format": "date-time",
    "description": "When it happened, in ISO 8601; UTC where no offset is given. The server's time "
    "without it.",
}
SDK_TIME: Schema = {
    "description": "When it happened: ISO 8601, in the digits of any script, or a number of "
    "seconds, ms, µs or ns since 1970, by its size. No value refuses the event: what cannot be "
    "read, or is of another calendar, counts as the time of receipt.",
}
CONTEXT: Schema = {"type": ["object", "null"], "description": "Free-form."}
INTEGRATIONS: Schema = {
    "type": ["object", "null"],
    "description": "Switches integrations off and on, or carries options for one. The key is the "
    "integration's name, else its destination's; `All` stands for those not named.",
}
HIT: Schema = {
    "type": "object",
    "description": "The user is best in `event.user`; `user` and the top level are looked at too.",
    "required": ["event"],
    "properties": {
        "hitId": {
            **ID,
            "description": "The same hitId of a token is stored once within seven days. Without "
            "one the server makes one, and a retry after a lost answer is then a second hit.",
        },
        "sentAt": ref("Time"),
        "event": ref("Event"),
        "user": ref("User"),
        "userId": ref("Id"),
        "anonymousId": ref("Id"),
        "context": CONTEXT,
        "integrations": INTEGRATIONS,
    },
    "anyOf": [
        holding("event", holding("user", ref("Identified"))),
        holding("user", ref("Identified")),
        ref("Identified"),
    ],
}

COLLECTED: Schema = {
    **HIT,
    "description": "A hit, with the token's public project id.",
    "required": ["projectId", "event"],
    "properties": {
        "projectId": {"type": "string", "format": "uuid"},
        **HIT["properties"],
        "timestamp": {
            **SDK_TIME,
            "description": "When the event happened, if `sentAt` is when the hit was sent: the "
            "sender's clock is then corrected.",
        },
    },
}
HITS: Schema = holding("hits", {"type": "array", "minItems": 1, "items": ref("Hit")})


def event_of(type: str) -> Schema:
    return ref(f"Segment{type.capitalize()}")


SEGMENT_EVENT: dict[str, Schema] = {
    "messageId": {
        "$ref": "#/components/schemas/Id",
        "description": "The hitId: the same of a token is stored once within seven days.",
    },
    "userId": ref("Id"),
    "anonymousId": ref("Id"),
    "groupId": ref("Id"),
    "previousId": ref("Id"),
    "timestamp": ref("SdkTime"),
    "originalTimestamp": ref("SdkTime"),
    "sentAt": ref("SdkTime"),
    "context": CONTEXT,
    "integrations": INTEGRATIONS,
    "properties": CONTEXT,
    "traits": CONTEXT,
    "writeKey": {"description": "The write key, where no header has it."},
}
NEEDS: dict[str, tuple[str, str]] = {
    "track": ("event", "The event's name."),
    "group": ("groupId", "The group."),
    "alias": ("previousId", "The id that was used before."),
}


def schema_of(type: str) -> Schema:
    own: dict[str, Schema] = {}
    if type in NEEDS:
        name, description = NEEDS[type]
        own[name] = {**SOME_TEXT, "maxLength": MAX_TEXT, "description": description}
    return {
        "type": "object",
        "required": [*own],
        "properties": {**SEGMENT_EVENT, **own},
        **ref("Identified"),
    }


def typed(type: str) -> Schema:
    tag = {"type": "object", "required": ["type"], "properties": {"type": {"const": type}}}
    return {"allOf": [event_of(type), tag]}


SEGMENT_BATCH: Schema = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {"type": "array", "minItems": 1, "items": {"anyOf": [*map(typed, TYPES)]}},
        "context": SEGMENT_EVENT["context"],
        "integrations": SEGMENT_EVENT["integrations"],
        "sentAt": ref("SdkTime"),
        "writeKey": SEGMENT_EVENT["writeKey"],
    },
}
COMPONENTS: dict[str, Schema] = {
    "CollectedHit": COLLECTED,
    "Event": EVENT,
    "Hit": HIT,
    "Hits": HITS,
    "Id": ID,
    "Identified": IDENTIFIED,
    "SdkTime": SDK_TIME,
    **{f"Segment{type.capitalize()}": schema_of(type) for type in TYPES},
    "SegmentBatch": SEGMENT_BATCH,
    "Time": TIME,
    "User": USER,
}
