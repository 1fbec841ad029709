"""The changes between two revisions of a token's configuration, in words.

Snapshots hold no secret, so neither do the words: credentials only count as changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from tracking.models.integrations.integration import Integration
from tracking.models.tokens.token import Token

#: The most characters of a value.
SHOWN = 80
RevisionSnapshot = Mapping[str, Any]


def revision_diff(before: RevisionSnapshot | None, after: RevisionSnapshot) -> list[str]:
    """Return a sentence for each change; for the first revision, that the token was issued."""
    if before is None:
        return ["Issued the token.", *_integrations({}, after.get("integrations", {}))]
    return [
        *_token(before, after),
        *_integrations(before.get("integrations", {}), after.get("integrations", {})),
    ]


def _token(before: RevisionSnapshot, after: RevisionSnapshot) -> Iterator[str]:
    ignored = {"integrations", "prefix", "revoked", "deleted"}
    if before.get("prefix") != after.get("prefix"):
        yield f"Rotated the API token: {before.get('prefix')}… → {after.get('prefix')}…"
    if after.get("deleted") and not before.get("deleted"):
        yield "Deleted the token."
    elif after.get("revoked") and not before.get("revoked"):
        yield "Revoked the token."
    yield from _values("", before, after, ignored, Token)


def _integrations(before: RevisionSnapshot, after: RevisionSnapshot) -> Iterator[str]:
    for pk, now in after.items():
        if pk not in before:
            yield f"Added {now['name']} ({now['destination']})."
        else:
            yield from _integration(before[pk], now)


def _integration(before: RevisionSnapshot, after: RevisionSnapshot) -> Iterator[str]:
    name = after["name"]
    if after.get("deleted") and not before.get("deleted"):
        yield f"Deleted {name}."
        return
    ignored = {"config", "secrets", "mapping", "paused", "draining", "deleted", "destination"}
    yield from _pause(name, before.get("paused"), after.get("paused"))
    if after.get("draining") and not before.get("draining"):
        yield f"Drained {name}."
        ignored.add("enabled")
    if before.get("secrets") != after.get("secrets"):
        yield f"{name}: credentials changed."
    if before.get("mapping") != after.get("mapping"):
        yield f"{name}: mapping changed."
    yield from _values(f"{name}: ", before.get("config", {}), after.get("config", {}), set())
    yield from _values(f"{name}: ", before, after, ignored, Integration)


def _pause(
    name: str, before: RevisionSnapshot | None, after: RevisionSnapshot | None
) -> Iterator[str]:
    if after and after != before:
        yield f"Paused {name}: {after['reason'] or 'no reason given'}"
    elif before and not after:
        yield f"Resumed {name}."


def _values(
    prefix: str,
    before: RevisionSnapshot,
    after: RevisionSnapshot,
    ignored: set[str],
    model: type[models.Model] | None = None,
) -> Iterator[str]:
    """Yield the remaining changes, by the labels of the model's fields; without a model, by their
    names in the configuration."""
    for key in sorted({*before, *after} - ignored):
        if before.get(key) != after.get(key):
            old, new = _shown(before.get(key)), _shown(after.get(key))
            yield f"{prefix}{_label(model, key)}: {old} → {new}"


def _label(model: type[models.Model] | None, key: str) -> str:
    with suppress(FieldDoesNotExist):
        if model is not None:
            return str(getattr(model._meta.get_field(key), "verbose_name", key))
    return key.replace("_", " ")


def _shown(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
