"""POST /track: authenticate, read, parse, store, 204."""

from __future__ import annotations

from typing import Any, Never, cast

from django.contrib.auth.models import AnonymousUser
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import APIView

from tracking.ingest.authentication import BasicTokenAuthentication, Pass
from tracking.ingest.body import MAX_BODY, read
from tracking.ingest.cors import allow_origin, preflight
from tracking.ingest.errors import (
    IngestError,
    TooManyHits,
    UnsupportedMediaType,
    respond,
    translate,
)
from tracking.ingest.parsing import MAX_USER_AGENT, Sender, clean_ip, parse
from tracking.ingest.pending import store
from tracking.ingest.refusals import NOBODY, refusals
from tracking.ingest.throttle import TokenRateThrottle


class IngestView(APIView):
    """What all ingest routes share: errors in our words, CORS, no content negotiation."""

    permission_classes = ()
    parser_classes = ()
    versioning_class = None
    http_method_names = ["post", "options"]  # noqa: RUF012 (Django's own attribute)

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """ATOMIC_REQUESTS is without effect. The hit is committed on the writer's own connection: a
        transaction around the view would only make a dead database a 500."""
        view = super().as_view(**initkwargs)
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        method = (request._request.method or "").lower()
        if method not in self.http_method_names:
            raise exceptions.MethodNotAllowed(method.upper())
        if method != "options":
            super().initial(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """As DRF does, without the detour over lazy attributes; no authenticator lets pass."""
        for authenticator in self.get_authenticators():
            found = authenticator.authenticate(request)
            request.user, request.auth = cast(tuple[AnonymousUser, Any], found)

    @property
    def token_id(self) -> int:
        """Whose request it is, as far as that is known by now: DRF's `auth` would find out."""
        opened = self.request.__dict__.get("_auth")
        return opened.token_id if isinstance(opened, Pass) else NOBODY

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        return None, ""

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        return preflight(request)

    def throttled(self, request: Request, wait: float) -> Never:
        raise TooManyHits("The token's limit of hits a second is reached.", wait=wait)

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        if isinstance(exc, exceptions.MethodNotAllowed):
            allow = ", ".join(self.http_method_names).upper()
            response = respond(translate(exc))
            response.headers["Allow"] = allow
            return response
        if isinstance(exc, exceptions.APIException):
            exc = translate(exc)
        if isinstance(exc, IngestError):
            refusals.note(self.token_id, exc.code)
            return respond(exc)
        raise exc

    def finalize_response(  # type: ignore[override]
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        allow_origin(request._request, response)
        return response


class TrackView(IngestView):
    authentication_classes = (BasicTokenAuthentication,)
    throttle_classes = (TokenRateThrottle,)

    def post(self, request: Request) -> HttpResponse:
        if request._request.content_type != "application/json":
            raise UnsupportedMediaType(
                "content_type_unsupported", "The Content-Type must be application/json."
            )
        body = read(request._request, MAX_BODY)
        store(parse(body, sender_of(request)), request._request)
        return HttpResponse(status=204)


def sender_of(request: Request) -> Sender:
    # DRF looks up what it does not have itself through a slow detour.
    meta = request._request.META
    return Sender(
        token_id=cast(Pass, request.auth).token_id,
        ip=clean_ip(meta.get("REMOTE_ADDR") or ""),
        user_agent=meta.get("HTTP_USER_AGENT", "")[:MAX_USER_AGENT],
    )
