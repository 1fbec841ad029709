"""Pages read from the replica, and fall back to the primary.

Who has just changed something reads from the primary until the replica must have it: a cookie says
so for REPLICA_LAG seconds.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from psycopg.errors import QueryCanceled

from tracking import replica
from tracking.conf import conf
from tracking.health.replica import is_usable, lag

logger = logging.getLogger(__name__)

COOKIE = "hitstream_primary"
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

Made = TypeVar("Made")


def may_lag(request: HttpRequest) -> bool:
    """Return whether the page may be some seconds old."""
    return request.method in SAFE and COOKIE not in request.COOKIES


def read(make: Callable[[], Made]) -> Made:
    """Return what `make` returns. It reads from the replica if there is a usable one; where that
    fails, it is called again and reads from the primary."""
    if not conf.REPLICA or not is_usable():
        return make()
    try:
        with replica.reads():
            return make()
    except (OperationalError, InterfaceError) as error:
        if isinstance(error.__cause__, QueryCanceled):
            # What takes too long there takes too long on the primary.
            raise
        logger.warning("The replica failed, the primary is read instead: %s", error)
        lag.forget()
        return make()


class ReadYourWrites:
    """The middleware that sets the cookie with the answer to each change in admin and console."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        # Senders of hits have no session.
        signed_in = settings.SESSION_COOKIE_NAME in request.COOKIES
        if conf.REPLICA and signed_in and request.method not in SAFE:
            response.set_cookie(
                COOKIE,
                "1",
                max_age=max(1, math.ceil(conf.REPLICA_LAG)),
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response
