"""Segment's batch endpoint, as its pages have it.

Written from "HTTP API Source" (Basic authentication; Max request size: 500 KB per request, 32 KB
per event; Batch; Errors: an identifier, the name of a track event) and "Spec: Common Fields"
(types, messageId, timestamp).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.destinations.judge import Ask, words

TYPES = words("track identify page screen group alias")


@dataclass
class SegmentDouble:
    """`now` is the server's clock in seconds; `events` are by their messageId."""

    now: float
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def answer(self, ask: Ask) -> tuple[int, Any]:
        if not ask.headers.get("authorization", "").startswith("Basic "):
            return 401, {}
        if ask.path != "/v1/batch" or len(ask.body) > 500 * 1024:
            self.problems.append(f"{ask.path}, {len(ask.body)} bytes")
        for event in ask.json["batch"]:
            self.problems += self.check(event)
            self.events[event["messageId"]] = event
        return 200, {"success": True}

    def check(self, event: dict[str, Any]) -> Iterator[str]:
        if len(json.dumps(event, ensure_ascii=False).encode()) > 32 * 1024:
            yield "more than 32 KB"
        if event.get("type") not in TYPES:
            yield f"type {event.get('type')}"
        if not (event.get("userId") or event.get("anonymousId")):
            yield "nobody"
        if event["type"] == "track" and not event.get("event"):
            yield "a track event without a name"
        if datetime.fromisoformat(event["timestamp"]).timestamp() > self.now:
            yield f"timestamp {event['timestamp']}"
        for name in ("properties", "traits", "context"):
            if not isinstance(event.get(name, {}), dict):
                yield f"{name} is no object"


def can_take(event: str, path: tuple[str, ...], value: Any) -> bool:
    """Segment takes every property and every trait."""
    return True
