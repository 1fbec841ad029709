"""The log as the deployment writes it with HITSTREAM_LOG_FORMAT=json, read back."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

from tracking.server.logs import JsonFormatter, with_request_id


class Log:
    def __init__(self) -> None:
        self._written = io.StringIO()
        self.handler = logging.StreamHandler(self._written)
        self.handler.setFormatter(JsonFormatter())
        self.handler.addFilter(with_request_id)

    def records(self, text: str = "") -> list[dict[str, Any]]:
        """The records whose message has this text."""
        lines = map(json.loads, self._written.getvalue().splitlines())
        return [line for line in lines if text in line["message"]]


@contextlib.contextmanager
def logged(name: str = "tracking") -> Iterator[Log]:
    """The records of this logger, from INFO on."""
    log, logger = Log(), logging.getLogger(name)
    before = logger.level
    logger.addHandler(log.handler)
    logger.setLevel(logging.INFO)
    try:
        yield log
    finally:
        logger.setLevel(before)
        logger.removeHandler(log.handler)
