"""How the log is written: a line for people, or JSON for a log collector (HITSTREAM_LOG_FORMAT)."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from tracking.current_request import current_id
from tracking.log_fields import NAMES
from tracking.terminal import escape_controls


class LineFormatter(logging.Formatter):
    """Level, logger, the id of the request if there is one, and message. What follows the first
    line is indented, so that no text of others looks like a line of the log."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return escape_controls(super().format(record)).replace("\n", "\n    ")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        written = super().formatMessage(record)
        request_id = getattr(record, "request_id", None)
        if request_id is None:
            return written
        head = f"{record.levelname} {record.name}"
        return f"{head} [{request_id}]{written[len(head) :]}"


class JsonFormatter(logging.Formatter):
    """A JSON object in each line: time (ISO 8601, UTC), level, logger, message, process, the id of
    the request, the fields of records about hits, and the traceback under `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        written: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        for name in ("request_id", *NAMES):
            if (value := getattr(record, name, None)) is not None:
                written[name] = value
        if record.exc_info:
            written["exception"] = self.formatException(record.exc_info)
        return json.dumps(written, default=str)


FORMATTERS = {"line": LineFormatter, "json": JsonFormatter}


def config_of_granian(format_name: str) -> dict[str, Any]:
    """Return the configuration of the web server's own records: on standard error, like all others.
    An unknown format is a line; the settings refuse it."""
    formatter = {"()": FORMATTERS.get(format_name, LineFormatter)}
    handler = {"class": "logging.StreamHandler", "formatter": "chosen"}
    return {
        "formatters": {"chosen": formatter},
        "handlers": {"console": handler},
        "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
    }


def without_traceback(record: logging.LogRecord) -> bool:
    """Shorten the record of a suspicious request to its message; keep it. Anybody may send a
    foreign Host header or a thousand fields: where Django refuses them is of no interest."""
    if record.name.startswith("django.security."):
        record.exc_info, record.exc_text = None, None
    return True


def with_request_id(record: logging.LogRecord) -> bool:
    """Give the record the id of the request that is being served, if any; keep it."""
    request_id = current_id()
    if request_id is not None:
        record.request_id = request_id
    return True
