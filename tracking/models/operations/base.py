"""Operations over many hits: each previews its effect, and runs in steps.

A step is one short transaction. The caller (`operation`) keeps the progress, and where the next
step begins, in that same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tracking.models.deliveries.criteria import Criteria
from tracking.models.integrations.integration import Integration
from tracking.models.operations.preview import Preview

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


#: Hits that one step changes at most.
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class OperationStep:
    """The result of a step: how many hits it changed, and the `position` at which the next step
    begins.

    `wait` is the seconds until there is something to do; None: the operation is finished.
    """

    moved: int
    position: str = ""
    wait: float | None = 0.0


class BatchOperation:
    """An operation on one integration."""

    name: ClassVar[str]
    label: ClassVar[StrOrPromise]
    #: The label, with the name of the `integration`.
    title: ClassVar[StrOrPromise]
    #: The noun that the preview counts.
    counted: ClassVar[StrOrPromise]

    def __init__(self, integration: Integration, criteria: Criteria) -> None:
        self.integration, self.criteria = integration, criteria

    def bound(self) -> Criteria:
        """Return the criteria without later hits, so that the operation ends."""
        return self.criteria

    def preview(self) -> Preview:
        """Return what the operation would do now."""
        raise NotImplementedError

    def step(self, position: str, limit: int) -> OperationStep:
        """Run one step over at most `limit` hits, in the caller's transaction."""
        raise NotImplementedError
