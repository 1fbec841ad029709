"""The errors of ingest: a stable code, and a sentence that tells the sender what to do."""

from __future__ import annotations

import math
from typing import ClassVar

from django.http import JsonResponse
from rest_framework import exceptions, status

from tracking.conf import conf


class IngestError(Exception):
    """The request cannot be accepted. `code` never changes its meaning."""

    status: ClassVar[int] = status.HTTP_400_BAD_REQUEST

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def headers(self) -> dict[str, str]:
        return {}


class BadRequest(IngestError, ValueError):
    """The hit cannot be stored as it is; sending it again unchanged cannot work."""


class Unauthorized(IngestError):
    """The API token opens nothing."""

    status = status.HTTP_401_UNAUTHORIZED

    def headers(self) -> dict[str, str]:
        # Never Basic: a browser would prompt, or hang.
        return {"WWW-Authenticate": "ApiToken"}


class UnsupportedMediaType(IngestError):
    """The Content-Type of the body is not JSON."""

    status = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE


class TooManyHits(IngestError):
    """The token's rate limit is reached. `wait` is in seconds."""

    status = status.HTTP_429_TOO_MANY_REQUESTS

    def __init__(self, message: str, *, wait: float) -> None:
        super().__init__("rate_limited", message)
        self.wait = wait

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(max(1, math.ceil(self.wait)))}


class Unavailable(IngestError):
    """The hit could not be stored now. Send it again later."""

    status = status.HTTP_503_SERVICE_UNAVAILABLE

    def __init__(self, message: str = "The hit could not be stored; send it again later.") -> None:
        super().__init__("unavailable", message)

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(min(conf.RETRY_AFTER, 300))}


class Contended(Unavailable):
    """Another transaction holds what the hit needs. Send it again later."""


def respond(error: IngestError) -> JsonResponse:
    body = {"code": error.code, "message": error.message}
    return JsonResponse(body, status=error.status, headers=error.headers())


def translate(error: exceptions.APIException) -> IngestError:
    """Return the IngestError for one of DRF's own exceptions."""
    translated = IngestError(str(error.get_codes()), str(error.detail))
    translated.status = error.status_code  # type: ignore[misc]
    return translated
