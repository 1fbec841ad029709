"""The rate limit that a token may have; hits of a token without a limit are not counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from tracking.ingest.auth.authentication import TokenAccess
from tracking.ingest.errors import TooManyHits
from tracking.ingest.write.deferred import wait_if_allowed
from tracking.log_fields import log_fields

logger = logging.getLogger(__name__)


def is_within_limit(opened: TokenAccess, environ: Mapping[str, Any], hits: int = 1) -> bool:
    """Return whether the token has hits left in this second of the clock, and count these. The
    count is in Django's cache: over all processes if they share one. A cache that fails limits
    nobody. Raises NeedsThread if the request must not wait for the cache."""
    if opened.rate_limit is None:
        return True
    wait_if_allowed(environ)
    key = f"hitstream:rate:{opened.token_id}:{int(time.time())}"
    try:
        cache.add(key, 0, timeout=5)
        return bool(cache.incr(key, hits) - hits < opened.rate_limit)
    except Exception as error:
        logger.warning(
            "The rate limit of token %s is not applied: %s",
            opened.token_id,
            error,
            extra=log_fields(tokens=[opened.token_id]),
        )
        return True


def too_many() -> TooManyHits:
    return TooManyHits("The token's limit of hits a second is reached.", wait=1.0)


class TokenRateThrottle(BaseThrottle):
    def allow_request(self, request: Request, view: APIView) -> bool:
        opened = request.auth
        return not isinstance(opened, TokenAccess) or is_within_limit(opened, request._request.META)

    def wait(self) -> float:
        return 1.0
