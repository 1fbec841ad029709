"""Whether an integration is owed hits and sent to at all."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from tracking.models.integrations.pause import Pausable


class Standing(Pausable):
    """Enabled; or draining: owed no more, but sent what it was owed; or disabled; or deleted."""

    enabled = models.BooleanField(
        default=True,
        help_text="Hits that arrive while it is disabled are not owed to it. To hold hits back, "
        "pause it instead; to have the last ones sent, drain it.",
    )
    draining = models.BooleanField(default=False, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    name: str

    class Meta:
        abstract = True

    @property
    def title(self) -> str:
        """Its name, as the record's pages say it."""
        return f"{self.name} (deleted)" if self.deleted_at else self.name

    def drain(self, *, by: str = "") -> None:
        """Nothing more is owed to it; what is owed is still sent. Enabling it again ends that."""
        self.enabled, self.draining = False, True
        self.save(by=by, update_fields=("enabled", "draining"))

    def mark_deleted(self, *, by: str = "") -> None:
        """Nothing more is owed or sent to it, it is in no list, and its name is free. All that is
        on record stays. `tracking.models.operations.delete` also cancels what it was owed."""
        self.enabled, self.draining, self.deleted_at = False, False, timezone.now()
        self.save(by=by, update_fields=("enabled", "draining", "deleted_at"))
