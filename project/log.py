"""How the deployment logs."""

from __future__ import annotations

import logging


class WithoutTraceback(logging.Filter):
    """Takes the traceback out of records about requests that are wrong: one line says it all."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = record.stack_info = None
        return True
