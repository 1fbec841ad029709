"""Reference (a), a stock DRF view; and /track without its database."""

from typing import cast

from django.http import HttpResponse
from django.urls import include, path
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tracking.ingest.auth.authentication import TokenAccess
from tracking.ingest.auth.client_ip import client_of
from tracking.ingest.http.views import TrackView
from tracking.ingest.parse.body import MAX_BODY, read
from tracking.ingest.parse.track_payload import parse


class StockView(APIView):
    """Answers 204 and stores nothing. DRF's default authenticators would refuse our tokens."""

    authentication_classes = ()

    def post(self, request: Request) -> Response:
        return Response(status=status.HTTP_204_NO_CONTENT)


class NullView(TrackView):
    """All that /track does but to store."""

    def post(self, request: Request) -> HttpResponse:
        parse(
            read(request._request, MAX_BODY),
            client_of(request._request.META, cast(TokenAccess, request.auth)),
        )
        return HttpResponse(status=204)


urlpatterns = [
    path("stock", StockView.as_view()),
    path("null", NullView.as_view()),
    path("", include("tracking.server.urls")),
]
