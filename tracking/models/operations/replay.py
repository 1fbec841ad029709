"""Replay: queue dead letters again."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tracking import db
from tracking.models.deliveries.criteria import Criteria
from tracking.models.deliveries.dead_letter import DeadLetter, DeadLetterQuerySet
from tracking.models.deliveries.dead_letter import replay as replay_letters
from tracking.models.operations.base import BatchOperation, OperationStep
from tracking.models.operations.preview import Preview, preview


class Replay(BatchOperation):
    """Dead letters in the order of their failure; `position` is the last one that was read."""

    name = "replay"
    label = pgettext_lazy("operation", "Replay")
    title = _("Replay of %(integration)s")
    counted = _("Dead letters to replay")

    def letters(self) -> DeadLetterQuerySet:
        letters = DeadLetter.objects.using(db.write_alias())
        return letters.filter(integration=self.integration).matching(self.criteria)

    def bound(self) -> Criteria:
        last = self.letters().order_by("pk").values_list("pk", flat=True).last()
        return replace(self.criteria, last=last or 0)

    def preview(self) -> Preview:
        return preview(self.letters().order_by("pk"), self.integration)

    def step(self, position: str, limit: int) -> OperationStep:
        later = self.letters().filter(pk__gt=int(position or 0)).order_by("pk")
        ids = list(later.values_list("pk", flat=True)[:limit])
        if not ids:
            return OperationStep(0, position, None)
        moved = replay_letters(ids)
        return OperationStep(moved, str(ids[-1]), 0.0 if len(ids) == limit else None)
