from tracking.admin import (
    attempt,
    delivery,
    hit,
    imported,
    integration,
    operation,
    revision,
    token,
)

__all__ = [
    "attempt",
    "delivery",
    "hit",
    "imported",
    "integration",
    "operation",
    "revision",
    "token",
]
