"""Mixpanel's /import and /engage, as their pages have them.

Written from "Import Events" (Request Format, Authentication, Validation, the list of ids that are
not allowed), "Event Deduplication", "Update Multiple Profiles", "Limits" of the User Profile API,
and openapi/ingestion.openapi.yaml in mixpanel/docs (the answers' form).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.destinations.judge import Ask, words

DISALLOWED = words(
    "00000000-0000-0000-0000-000000000000 anon anonymous nil none null n/a na undefined "
    "unknown <nil> 0 -1 true false [] {}"
)


@dataclass
class MixpanelDouble:
    """`events` are by what makes them one and the same; `now` is the server's clock in seconds."""

    token: str
    now: float
    events: dict[tuple[str, str, int, str], dict[str, Any]] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, ask: Ask) -> tuple[int, Any]:
        if ask.method != "POST" or ask.headers.get("content-type") != "application/json":
            return 400, {"code": 400, "error": "Content-Type", "status": "Bad Request"}
        if len(ask.body) > 10_000_000:
            return 413, {"code": 413, "error": "too large", "status": "Request Entity Too Large"}
        records = ask.json
        if not isinstance(records, list) or not 1 <= len(records) <= 2000:
            return 400, {"code": 400, "error": "1 to 2000 records", "status": "Bad Request"}
        if ask.path == "/import":
            return self.take_events(ask, records)
        return self.take_profiles(records) if ask.path == "/engage" else (404, {})

    def take_events(self, ask: Ask, records: list[Any]) -> tuple[int, Any]:
        expected = base64.b64encode(f"{self.token}:".encode()).decode()
        if ask.headers.get("authorization") != f"Basic {expected}":
            error = {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"}
            return 401, error
        failed = []
        for index, record in enumerate(records):
            problem = next(self.check(record), None)
            told = record.get("properties", {}) if isinstance(record, dict) else {}
            if problem:
                field_name, message = problem
                insert_id = str(told.get("$insert_id"))
                failed.append(
                    {
                        "index": index,
                        "insert_id": insert_id,
                        "field": field_name,
                        "message": message,
                    }
                )
            else:
                key = (record["event"], told["distinct_id"], told["time"], told["$insert_id"])
                self.events[key] = record
        taken = len(records) - len(failed)
        if not failed:
            return 200, {"code": 200, "num_records_imported": taken, "status": "OK"}
        said = {"code": 400, "num_records_imported": taken, "status": "Bad Request"}
        words = "some data points in the request failed validation"
        return 400, {**said, "error": words, "failed_records": failed}

    def check(self, record: Any) -> Iterator[tuple[str, str]]:
        if not isinstance(record, dict) or record.keys() != {"event", "properties"}:
            yield "", "an event has `event` and `properties` and nothing else"
            return
        if not (isinstance(record["event"], str) and record["event"]):
            yield "event", "must be a name"
        if len(json.dumps(record)) >= 1_000_000:
            yield "", "must be smaller than 1MB"
        told = record["properties"]
        time = told.get("time")
        if isinstance(time, bool) or not isinstance(time, int):
            yield "properties.time", "must be specified as seconds or milliseconds since epoch"
            return
        seconds = time / 1000 if time > 10**11 else time
        if not 365 * 86_400 <= seconds <= self.now + 3600:
            yield "properties.time", "is out of range"
        who, insert_id = told.get("distinct_id"), told.get("$insert_id")
        if not isinstance(who, str) or who in DISALLOWED:
            yield "properties.distinct_id", f"{who!r} is invalid"
        if not re.fullmatch(r"[A-Za-z0-9-]{1,36}", str(insert_id)) or insert_id in DISALLOWED:
            yield "properties.$insert_id", f"{insert_id!r} is invalid"
        yield from check_size(told, "properties")

    def take_profiles(self, records: list[Any]) -> tuple[int, Any]:
        failed = []
        for index, record in enumerate(records):
            problem = next(self.check_profile(record), None)
            if problem:
                failed.append({"index": index, "field": problem, "message": "is invalid"})
            else:
                self.profiles.setdefault(record["$distinct_id"], {}).update(record["$set"])
        said = {"code": 400 if failed else 200, "num_good_events": len(records) - len(failed)}
        return 200, {**said, "failed_records": failed, "status": "OK"}

    def check_profile(self, record: Any) -> Iterator[str]:
        if not isinstance(record, dict) or record.get("$token") != self.token:
            yield "$token"
        elif not isinstance(record.get("$distinct_id"), str) or not record["$distinct_id"]:
            yield "$distinct_id"
        elif not isinstance(record.get("$set"), dict) or len(json.dumps(record)) > 1_000_000:
            yield "$set"


def check_size(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, (dict, list)) and len(value) >= 255:
        yield where, "must have fewer than 255 elements"
    if isinstance(value, dict):
        for name, each in value.items():
            yield from check_size(each, f"{where}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from check_size(each, where)


def can_take(event: str, path: tuple[str, ...], value: Any) -> bool:
    """Mixpanel takes every property of an event but those that carry its time, user and id."""
    return path[0] == "properties" and path[1] not in words("time distinct_id $insert_id ip")
