"""The rate limit that a token may be given in the admin; without one nothing is counted."""

from __future__ import annotations

import logging
import time

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from tracking.ingest.authentication import Pass

logger = logging.getLogger(__name__)


class TokenRateThrottle(BaseThrottle):
    """So many hits in each second of the clock, counted in Django's cache: over all processes
    where they share one. A cache that fails limits nobody."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        opened = request.auth
        if not isinstance(opened, Pass) or opened.rate_limit is None:
            return True
        key = f"hitstream:rate:{opened.token_id}:{int(time.time())}"
        try:
            cache.add(key, 0, timeout=5)
            return bool(cache.incr(key) <= opened.rate_limit)
        except Exception as error:
            logger.warning("The rate limit of token %s is not applied: %s", opened.token_id, error)
            return True

    def wait(self) -> float:
        return 1.0
