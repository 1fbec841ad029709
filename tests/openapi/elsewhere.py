"""The URLs of a project with an API of its own and ours below prefixes."""

from django.urls import include, path
from drf_spectacular.openapi import AutoSchema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class OwnView(APIView):
    schema = AutoSchema()

    def get(self, request: Request) -> Response:
        return Response()


urlpatterns = [
    path("own", OwnView.as_view()),
    path("hits/", include("tracking.urls")),
    path("reference/", include("tracking.openapi.urls")),
]
