"""The configuration of a token, revision by revision."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from tracking import db
from tracking.models.tokens.token import Token


class RevisionQuerySet(models.QuerySet["Revision"]):
    def record(self, token: Token, *, by: str = "") -> None:
        """Record the token's present configuration, under a new number if it changed."""
        with db.atomic():
            current = Token.objects.select_for_update().get(pk=token.pk)
            snapshot = snapshot_of(current)
            last = current.revisions.order_by("-number").first()
            if last is None or last.snapshot != snapshot:
                token.revision = current.revision + 1
                Token.objects.filter(pk=token.pk).update(revision=token.revision)
                Revision.objects.create(
                    token=token, number=token.revision, made_by=by, snapshot=snapshot
                )


class Revision(models.Model):
    """One configuration of a token, with its author and time. Hits carry its number."""

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


def snapshot_of(token: Token) -> dict[str, Any]:
    """Return what decides where the token's hits go; never a secret."""
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
        "integrations": {
            str(integration.pk): integration.snapshot()
            for integration in token.integrations.order_by("pk")
        },
    }
