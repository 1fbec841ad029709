"""PostHog's batch endpoint, as its pages have it; what it drops, it drops with a 200.

Written from "Capture and batch API endpoints" (Batch events: below 20 MB; Alias; Group identify;
Groups; Identify; Invalid events: without a name or a distinct_id), "Ingestion warnings" (an event
of 1 MB; ids that stand for nobody are not merged) and PostHog/posthog, rust/capture (uuid,
timestamp).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.destinations.judge import Ask, words

KEYS = words("uuid event distinct_id timestamp properties")
NOBODY = words(
    "anonymous guest distinctid distinct_id id not_authenticated email undefined true false null "
    "none 0 nan [object object]"
)


@dataclass
class PostHogDouble:
    """`now` is the server's clock in seconds; `events` are by their uuid."""

    now: float
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def answer(self, ask: Ask) -> tuple[int, Any]:
        body = ask.json
        if (ask.method, ask.path) != ("POST", "/batch/") or not isinstance(body, dict):
            return 404, {}
        if body.keys() != {"api_key", "batch"} or not body["api_key"]:
            return 401, {"type": "authentication_error"}
        if len(ask.body) >= 20_000_000:
            self.problems.append("20 MB")
        for event in body["batch"]:
            self.problems += self.check(event)
            self.events[event["uuid"]] = event
        return 200, {"status": "Ok"}

    def check(self, event: dict[str, Any]) -> Iterator[str]:
        if event.keys() != KEYS:
            yield f"the keys {sorted(event)}"
        UUID(event["uuid"])
        if not (isinstance(event["event"], str) and event["event"]):
            yield "no name"
        who = event["distinct_id"]
        if not (isinstance(who, str) and who) or who.strip().lower() in NOBODY:
            yield f"distinct_id {who!r}"
        if datetime.fromisoformat(event["timestamp"]).timestamp() > self.now:
            yield f"timestamp {event['timestamp']}"
        if len(json.dumps(event)) >= 1_000_000:
            yield "1 MB"
        yield from self.check_properties(event, event["properties"])

    def check_properties(self, event: dict[str, Any], told: dict[str, Any]) -> Iterator[str]:
        for name in ("$set", "$groups", "$group_set"):
            if not isinstance(told.get(name, {}), dict):
                yield f"{name} is no object"
        if event["event"] == "$groupidentify" and not (
            told.get("$group_type") and told.get("$group_key")
        ):
            yield "a group without its type or key"
        if not re.fullmatch(r"[0-9a-f.:]*", str(told.get("$ip", "")) or ""):
            yield "$ip"


def can_take(event: str, path: tuple[str, ...], value: Any) -> bool:
    """PostHog takes every property and, as $set, every trait."""
    return True
