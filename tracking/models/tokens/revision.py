"""The configuration of a token, revision by revision.

A revision holds the token's own fields and the integrations that it changed; the others are as
earlier revisions left them. So a change costs the same however many integrations a token has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from django.utils import timezone

from tracking import db
from tracking.models.tokens.token import Token
from tracking.sql import load

SQL = load(__file__)
Snapshot = Mapping[str, Any]


class RevisionQuerySet(models.QuerySet["Revision"]):
    def record(self, token: Token, *, by: str = "", changed: Snapshot | None = None) -> None:
        """Record the token's present configuration, under a new number if it changed. `changed`
        has the snapshots of the integrations that may have changed, by id."""
        with db.atomic():
            current = Token.objects.select_for_update().get(pk=token.pk)
            last = current.revisions.order_by("-number").first()
            present = self._latest(current, changed or {})
            integrations = {
                pk: snapshot
                for pk, snapshot in (changed or {}).items()
                if present.get(pk) != snapshot
            }
            snapshot = {**snapshot_of(current), "integrations": integrations}
            if last is None or integrations or without(last.snapshot) != without(snapshot):
                token.revision = current.revision + 1
                Token.objects.filter(pk=token.pk).update(revision=token.revision)
                Revision.objects.create(
                    token=token, number=token.revision, made_by=by, snapshot=snapshot
                )

    def _latest(self, token: Token, wanted: Iterable[str]) -> dict[str, Any]:
        """Return the last recorded snapshots of these integrations."""
        found = {}
        for pk in wanted:
            rows = token.revisions.filter(snapshot__integrations__has_key=pk)
            last = rows.order_by("-number").first()
            if last is not None:
                found[pk] = last.snapshot["integrations"][pk]
        return found


class Revision(models.Model):
    """One configuration of a token, with its author and time. Hits carry its number. `snapshot` has
    the token's fields, and under `integrations` those that changed."""

    token = models.ForeignKey(Token, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.CharField(max_length=150, blank=True)
    snapshot = models.JSONField()

    objects = RevisionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("token", "number"), name="hitstream_revision_number"),
        )
        indexes = (models.Index(fields=("made_at",), name="hitstream_revision_made"),)

    def __str__(self) -> str:
        return f"{self.token} revision {self.number}"

    def configuration(self) -> dict[str, Any]:
        """Return the snapshot with all integrations that the token had."""
        with db.write_cursor() as cursor:
            cursor.execute(SQL["configuration"], {"token_id": self.token_id, "number": self.number})
            integrations = {key: json.loads(value) for key, value in cursor.fetchall()}
        return {**self.snapshot, "integrations": integrations}


def earlier_integrations(revisions: Iterable[Revision]) -> dict[tuple[int, int], dict[str, Any]]:
    """Return what the changed integrations of each revision were before, by token and number."""
    keys = [(revision.token_id, revision.number) for revision in revisions]
    found: dict[tuple[int, int], dict[str, Any]] = {key: {} for key in keys}
    with db.read_cursor() as cursor:
        cursor.execute(
            SQL["earlier"],
            {"token_ids": [key[0] for key in keys], "numbers": [key[1] for key in keys]},
        )
        for token_id, number, pk, value in cursor.fetchall():
            found[token_id, number][pk] = json.loads(value)
    return found


def without(snapshot: Snapshot) -> dict[str, Any]:
    """Return the token's own part of the snapshot."""
    return {name: value for name, value in snapshot.items() if name != "integrations"}


def snapshot_of(token: Token) -> dict[str, Any]:
    """Return the token's own part of what decides where its hits go; never a secret."""
    return {
        "name": token.name,
        "prefix": token.prefix,
        "enabled": token.enabled,
        "revoked": token.revoked_at is not None,
        **({"deleted": True} if token.deleted_at else {}),
        "expires_at": token.expires_at and token.expires_at.isoformat(),
        "rate_limit": token.rate_limit,
        "origins": token.origins,
        "ip_policy": token.ip_policy,
        **({"audience": token.audience} if token.audience else {}),
        **({"breakdowns": token.breakdowns} if token.breakdowns else {}),
    }
