"""Errors of web, worker and beat to Sentry: where something failed, never what was sent.

A report holds what is on a list; nothing else leaves the server. Only
`tracking.server.telemetry` imports this.
"""

from __future__ import annotations

import logging
import os
from importlib.metadata import version
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration
from sentry_sdk.types import Event, Hint

from tracking.current_request import current_id
from tracking.log_fields import NAMES

#: Seconds that Sentry may take when the process stops.
FLUSH_SECONDS = 2.0
#: What is taken over as it is.
KEPT = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "sdk")
KEPT_OF_FRAME = (
    *("filename", "abs_path", "module", "function", "lineno", "in_app"),
    *("pre_context", "context_line", "post_context"),
)
#: Loggers whose messages are templates: their values are left out. Others may write values into
#: the message itself.
WITH_TEMPLATES = ("tracking", "django", "celery")


def start(dsn: str) -> None:
    """Report records of level ERROR and unhandled exceptions. Raises BadDsn."""
    sentry_sdk.init(
        dsn=dsn,
        before_send=report_of,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            DedupeIntegration(),
            ExcepthookIntegration(),
            LoggingIntegration(level=None, event_level=logging.ERROR, sentry_logs_level=None),
            ThreadingIntegration(propagate_scope=False),
        ],
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        send_default_pii=False,
        send_client_reports=False,
        auto_session_tracking=False,
        traces_sample_rate=None,
        release=os.environ.get("SENTRY_RELEASE") or f"hitstream@{version('hitstream')}",
        server_name="",
    )


def stop() -> None:
    """Send what is left."""
    sentry_sdk.flush(FLUSH_SECONDS)


def report_of(event: Event, hint: Hint) -> Event | None:
    """Return the report of the event: its place in the code, and ids that lead to the log. Django's
    record of a 503 makes none: the record of its cause does. Nor does a refused request."""
    made: Any = event
    report: dict[str, Any] = {name: made[name] for name in KEPT if name in made}
    record = hint.get("log_record")
    if getattr(record, "status_code", None) == 503 or is_refusal(record):
        return None
    if record is not None:
        report["logentry"] = {"message": message_of(record)}
    if values := (made.get("exception") or {}).get("values"):
        report["exception"] = {"values": [exception_of(value) for value in values]}
    report["tags"] = tags_of(record)
    report["extra"] = {
        name: getattr(record, name) for name in ("hit_ids", "request_ids") if hasattr(record, name)
    }
    return report  # type: ignore[return-value]


def is_refusal(record: logging.LogRecord | None) -> bool:
    """Return whether Django refused a suspicious request: anybody can make such records, and their
    message quotes what was sent."""
    return record is not None and record.name.startswith("django.security")


def message_of(record: logging.LogRecord) -> str:
    """Return the message without its values, which may be a sender's."""
    if record.name.partition(".")[0] in WITH_TEMPLATES and isinstance(record.msg, str):
        return record.msg
    return f"A record of {record.name}"


def exception_of(value: dict[str, Any]) -> dict[str, Any]:
    """Return type and frames. The text of an exception may quote a hit: Postgres shows the row."""
    kept: dict[str, Any] = {
        name: value[name] for name in ("type", "module", "mechanism") if name in value
    }
    kept.get("mechanism", {}).pop("data", None)
    frames = (value.get("stacktrace") or {}).get("frames") or []
    kept["stacktrace"] = {
        "frames": [
            {name: frame[name] for name in KEPT_OF_FRAME if name in frame} for frame in frames
        ]
    }
    return kept


def tags_of(record: logging.LogRecord | None) -> dict[str, str]:
    """Return the id of the request, and the record's numbers of integration and token."""
    tags = {"request_id": current_id()}
    for name in NAMES:
        value = getattr(record, name, None)
        if isinstance(value, int):
            tags[name] = str(value)
    return {name: value for name, value in tags.items() if value is not None}
