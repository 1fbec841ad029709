from tracking.admin import (
    alert_channel,
    alert_rule,
    attempt,
    delivery,
    file_import,
    hit,
    integration,
    operation,
    revision,
    token,
)

__all__ = [
    "alert_channel",
    "alert_rule",
    "attempt",
    "delivery",
    "file_import",
    "hit",
    "integration",
    "operation",
    "revision",
    "token",
]
