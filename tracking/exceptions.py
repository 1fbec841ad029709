"""The errors of a delivery. An error's docstring is its message to the operator."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracking.events import Exchange


class DeliveryError(Exception):
    """The destination did not accept the hits.

    `exchange` is the request and the answer, as far as they got.
    """

    code = "delivery_failed"

    def __init__(self, message: str = "", *, exchange: Exchange | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").splitlines()[0])
        self.exchange = exchange


class RetryableError(DeliveryError):
    """The destination could not accept the hits now; they are sent again later.

    `retry_after` is the vendor's Retry-After in seconds, None without one.
    """

    code = "retryable"

    def __init__(
        self,
        message: str = "",
        *,
        exchange: Exchange | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, exchange=exchange)
        self.retry_after = retry_after


class PermanentError(DeliveryError):
    """The destination refused the hits; sending them again unchanged cannot work."""

    code = "permanent"


class SetupError(DeliveryError):
    """The integration's configuration is wrong; it is paused and keeps its backlog until it is
    corrected."""

    code = "setup"


def blame(error: Exception) -> str:
    """Return what failed and where, without the error's own text, which may hold a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"Its own code failed: {type(error).__name__} in {frames[-1].name if frames else '?'}."
