"""A verb that goes over many hits: it says what it will do, and does it step by step.

A step is one short transaction. What is done so far, and where the next step begins, is kept by
whoever calls (see `operation`), in that same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tracking.models.deliveries.criteria import Criteria
from tracking.models.integrations.integration import Integration
from tracking.models.operations.preview import Preview

#: Hits that one step changes at the most.
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class OperationStep:
    """So many hits were changed; the next step begins at `position`.

    `wait` is how many seconds there is nothing to do; None: never again, it is over.
    """

    moved: int
    position: str = ""
    wait: float | None = 0.0


class BatchOperation:
    """What an operator asks for, of one integration."""

    name: ClassVar[str]
    #: What the preview's count is of.
    counted: ClassVar[str]

    def __init__(self, integration: Integration, criteria: Criteria) -> None:
        self.integration, self.criteria = integration, criteria

    def bound(self) -> Criteria:
        """The criteria as they are now, so that what comes later is not meant, and it ends."""
        return self.criteria

    def preview(self) -> Preview:
        """What it would do now."""
        raise NotImplementedError

    def step(self, position: str, limit: int) -> OperationStep:
        """At most so many more hits are done, in the caller's transaction."""
        raise NotImplementedError
