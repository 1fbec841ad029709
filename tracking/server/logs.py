"""How the log is written: a line for people, or JSON for a log collector (HITSTREAM_LOG_FORMAT)."""

import json
import logging
from datetime import UTC, datetime

from tracking.terminal import escape_controls


class LineFormatter(logging.Formatter):
    """Level, logger and message. What follows the first line is indented, so that no text of others
    looks like a line of the log."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return escape_controls(super().format(record)).replace("\n", "\n    ")


class JsonFormatter(logging.Formatter):
    """A JSON object in each line: time (ISO 8601, UTC), level, logger, message, process, and the
    traceback under `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        written = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        if record.exc_info:
            written["exception"] = self.formatException(record.exc_info)
        return json.dumps(written)


FORMATTERS = {"line": LineFormatter, "json": JsonFormatter}


def without_traceback(record: logging.LogRecord) -> bool:
    """Shorten the record of a suspicious request to its message; keep it. Anybody may send a
    foreign Host header or a thousand fields: where Django refuses them is of no interest."""
    if record.name.startswith("django.security."):
        record.exc_info, record.exc_text = None, None
    return True
