"""The base of all ingest views, and POST /track: authenticate, read, parse, store, 204."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Never, cast

from django.contrib.auth.models import AnonymousUser
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from tracking.current_request import HEADER, id_of
from tracking.ingest.auth.authentication import BasicTokenAuthentication, Key, TokenAccess, tokens
from tracking.ingest.auth.client_ip import client_of
from tracking.ingest.auth.rate_limit import TokenRateThrottle, is_within_limit, too_many
from tracking.ingest.errors import (
    IngestError,
    Unauthorized,
    UnsupportedMediaType,
    respond,
    translate,
)
from tracking.ingest.http.cors import allow_origin, preflight
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.parse.body import MAX_BODY, read
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.deferred import DEFERRED, NOTIFY, DeferredResponse
from tracking.ingest.write.refusals import NOBODY, refusals
from tracking.ingest.write.refused_samples import samples
from tracking.ingest.write.spool import spool
from tracking.models.tokens.privacy import allows_origin


class IngestView(APIView):
    """Hitstream's own errors, CORS, no content negotiation; no cookie is read or set."""

    authentication_classes: Sequence[type[BaseAuthentication]] = ()
    permission_classes = ()
    parser_classes = ()
    throttle_classes: Sequence[type[BaseThrottle]] = ()
    versioning_class = None
    http_method_names = ["post", "options"]  # noqa: RUF012 (Django's own attribute)
    #: Whether pages of other sites may read the answers.
    for_browsers = True
    #: Whether each request waits for its commit: a server need not begin it on its event loop.
    waits = False

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view without ATOMIC_REQUESTS. The hit is committed on the writer's own
        connection: a transaction around the view would only turn a dead database into a 500."""
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
        """Authenticate as DRF does, without its lazy attributes; no authenticator declines."""
        for authenticator in self.get_authenticators():
            found = authenticator.authenticate(request)
            request.user, request.auth = cast(tuple[AnonymousUser, Any], found)

    def admit(self, request: Request, key: Key, *, hits: int = 1) -> TokenAccess:
        """Return the key's TokenAccess, from now on the request's. Raises Unauthorized, also for a
        site that may not send, and TooManyHits."""
        environ = request._request.META
        opened = tokens.open(key, environ)
        request.user, request.auth = AnonymousUser(), opened
        origin = environ.get("HTTP_ORIGIN")
        if opened.public and opened.origins and origin is not None:
            check_origin(opened, origin)
        if not is_within_limit(opened, environ, hits):
            raise too_many()
        return opened

    @property
    def token_id(self) -> int:
        """The token of the request as far as it is known by now. DRF's own `auth` would
        authenticate."""
        opened = self.request.__dict__.get("_auth")
        return opened.token_id if isinstance(opened, TokenAccess) else NOBODY

    @property
    def methods(self) -> str:
        return ", ".join(self.http_method_names).upper()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        return None, ""

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        return preflight(request, self.methods)

    def throttled(self, request: Request, wait: float) -> Never:
        raise too_many()

    def refuse(self, error: IngestError) -> HttpResponse:
        """Return the answer to an error."""
        return respond(error)

    def refuse_late(self, error: IngestError) -> HttpResponse:
        """Return the answer to an error that occurs after the view has returned."""
        self.note(error)
        response = self.refuse(error)
        if self.for_browsers:
            allow_origin(self.request._request, response)
        response.headers[HEADER] = id_of(self.request._request.META)
        return response

    def note(self, error: IngestError) -> None:
        """Count the refusal, and keep a sample."""
        refusals.note(self.token_id, error.code)
        samples.note(self.token_id, error, self.request._request.META)

    def store(self, arrival: Arrival) -> None:
        """Commit the arrival, or spool it while Postgres is away; on an event loop, leave a
        DeferredResponse that waits for that (see `ingest.write.deferred`). Raises Unavailable or
        BadRequest."""
        environ = self.request._request.META
        notify = environ.get(NOTIFY)
        if notify is None:
            spool.submit(arrival)
        else:
            environ[DEFERRED] = DeferredResponse(spool.hand(arrival, notify), self.refuse_late)

    def forbid(self, error: exceptions.MethodNotAllowed) -> HttpResponse:
        response = respond(translate(error))
        response.headers["Allow"] = self.methods
        return response

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        if isinstance(exc, exceptions.MethodNotAllowed):
            return self.forbid(exc)
        if isinstance(exc, exceptions.APIException):
            exc = translate(exc)
        if isinstance(exc, IngestError):
            self.note(exc)
            return self.refuse(exc)
        raise exc

    def finalize_response(  # type: ignore[override]
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        if self.for_browsers:
            allow_origin(request._request, response)
        return response


def check_origin(opened: TokenAccess, origin: str) -> None:
    if not allows_origin(opened.origins, origin):
        raise Unauthorized("origin_refused", f"The token takes nothing from {origin[:100]}.")


class TrackView(IngestView):
    authentication_classes = (BasicTokenAuthentication,)
    throttle_classes = (TokenRateThrottle,)

    def post(self, request: Request) -> HttpResponse:
        django_request = request._request
        if django_request.content_type != "application/json":
            raise UnsupportedMediaType(
                "content_type_unsupported", "The Content-Type must be application/json."
            )
        body = read(django_request, MAX_BODY)
        # DRF looks up attributes that it does not have itself by a slow detour.
        sender = client_of(django_request.META, cast(TokenAccess, request.auth))
        self.store(parse(body, sender))
        return HttpResponse(status=204)
