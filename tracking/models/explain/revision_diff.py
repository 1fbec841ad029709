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
from django.utils.translation import gettext as _

from tracking.models.integrations.integration import Integration
from tracking.models.tokens.token import Token

#: The most characters of a value.
SHOWN = 80
RevisionSnapshot = Mapping[str, Any]


def revision_diff(before: RevisionSnapshot | None, after: RevisionSnapshot) -> list[str]:
    """Return a sentence for each change; for the first revision, that the token was issued."""
    if before is None:
        return [_("Issued the token."), *_integrations({}, after.get("integrations", {}))]
    return [
        *_token(before, after),
        *_integrations(before.get("integrations", {}), after.get("integrations", {})),
    ]


def _token(before: RevisionSnapshot, after: RevisionSnapshot) -> Iterator[str]:
    ignored = {"integrations", "prefix", "revoked", "deleted"}
    if before.get("prefix") != after.get("prefix"):
        prefixes = {"old": before.get("prefix"), "new": after.get("prefix")}
        yield _("Rotated the API token: %(old)s… → %(new)s…") % prefixes
    if after.get("deleted") and not before.get("deleted"):
        yield _("Deleted the token.")
    elif after.get("revoked") and not before.get("revoked"):
        yield _("Revoked the token.")
    yield from _values("", before, after, ignored, Token)


def _integrations(before: RevisionSnapshot, after: RevisionSnapshot) -> Iterator[str]:
    for pk, now in after.items():
        if pk not in before:
            yield _("Added %(name)s (%(destination)s).") % now
        else:
            yield from _integration(before[pk], now)


def _integration(before: RevisionSnapshot, after: RevisionSnapshot) -> Iterator[str]:
    name = after["name"]
    if after.get("deleted") and not before.get("deleted"):
        yield _("Deleted %(name)s.") % {"name": name}
        return
    ignored = {"config", "secrets", "mapping", "paused", "draining", "deleted", "destination"}
    yield from _pause(name, before.get("paused"), after.get("paused"))
    if after.get("draining") and not before.get("draining"):
        yield _("Drained %(name)s.") % {"name": name}
        ignored.add("enabled")
    if before.get("secrets") != after.get("secrets"):
        yield _("%(name)s: credentials changed.") % {"name": name}
    if before.get("mapping") != after.get("mapping"):
        yield _("%(name)s: mapping changed.") % {"name": name}
    yield from _values(f"{name}: ", before.get("config", {}), after.get("config", {}), set())
    yield from _values(f"{name}: ", before, after, ignored, Integration)


def _pause(
    name: str, before: RevisionSnapshot | None, after: RevisionSnapshot | None
) -> Iterator[str]:
    if after and after != before:
        reason = after["reason"] or _("no reason given")
        yield _("Paused %(name)s: %(reason)s") % {"name": name, "reason": reason}
    elif before and not after:
        yield _("Resumed %(name)s.") % {"name": name}


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
        return _("nothing")
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
