"""Why an expression cannot be used. It is raised in the evaluator's process, which has neither
Django's settings nor a language, and translated in the process that shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ExpressionError(ValueError):
    """The expression cannot be used. `message` is the reason for its author, in English, with named
    places for `params`, which are JSON; the text of the error is both together."""

    def __init__(self, message: str, **params: Any) -> None:
        super().__init__(fill(message, params))
        self.message, self.params = message, params


def fill(message: str, params: Mapping[str, Any]) -> str:
    """Return the message with its places filled. A message without params is taken as it is: a
    library's may hold any sign."""
    return message % params if params else message


def gettext_noop(message: str) -> str:
    """Mark the message for the catalogue, as Django's function of this name, which needs
    settings."""
    return message
