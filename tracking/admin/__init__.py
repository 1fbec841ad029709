from tracking.admin import (
    alertchannel,
    alertrule,
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
    "alertchannel",
    "alertrule",
    "attempt",
    "delivery",
    "hit",
    "imported",
    "integration",
    "operation",
    "revision",
    "token",
]
