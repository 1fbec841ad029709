from tracking.admin import (
    alert_channel,
    alert_rule,
    attempt,
    delivery,
    hit,
    file_import,
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
