"""The record of a request to a vendor: its result in, a row for the attempts out."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from uuid_utils.compat import uuid7

from tracking.delivery.failure_log import fields_of
from tracking.delivery.request_pool import BatchResult
from tracking.events import Receipt
from tracking.exceptions import DeliveryError
from tracking.models import Integration
from tracking.models.deliveries.settle import AttemptRecord

logger = logging.getLogger(__name__)

#: Characters of an error's code.
CODE_LIMIT = 50


def attempt_of(
    sent: BatchResult, integration: Integration, mask: Callable[[str], str]
) -> AttemptRecord:
    """Return the attempt. `mask` removes the secrets from a text."""
    result = sent.result
    code = message = ""
    if isinstance(result, DeliveryError):
        code, message = result.code, str(result)
    elif isinstance(result, Exception):
        code, message = "destination_failed", repr(result)
        text = "".join(traceback.format_exception(result))
        logger.error(
            "%s failed in our own code:\n%s",
            integration,
            mask(text),
            extra=fields_of(integration, sent.batch.events),
        )
    return AttemptRecord(
        id=uuid7(),
        made_at=datetime.now(UTC),
        hits=len(sent.batch.events),
        failed_hits=sent.failed_hits,
        code=code[:CODE_LIMIT],
        message=mask(message),
        **record_of(result, keep_all=integration.keep_bodies),
    )


def record_of(result: Receipt | Exception, *, keep_all: bool) -> dict[str, Any]:
    """Return the request and the answer; for a success without headers and bodies, unless the
    integration keeps them."""
    exchange = result.exchange if isinstance(result, (Receipt, DeliveryError)) else None
    if exchange is None:
        return {}
    found: dict[str, Any] = {"status": exchange.status, "duration": exchange.duration}
    if keep_all or not isinstance(result, Receipt) or result.refused:
        found |= asdict(exchange.said)
    return found
