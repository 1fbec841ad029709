from typing import ClassVar

from django.http import HttpRequest
from django.urls import path
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.naive.models import NaiveHit, NaiveToken
from benchmarks.naive.tasks import forward


class TokenAuthentication(BasicAuthentication):
    def authenticate_credentials(
        self, userid: str, password: str, request: HttpRequest | None = None
    ) -> tuple[None, NaiveToken]:
        try:
            return None, NaiveToken.objects.get(key=userid)
        except NaiveToken.DoesNotExist:
            raise AuthenticationFailed from None


class TrackView(APIView):
    authentication_classes: ClassVar[list[type]] = [TokenAuthentication]

    def post(self, request: Request) -> Response:
        event = request.data["event"]
        hit = NaiveHit.objects.create(
            token=request.auth,
            hit_id=request.data["hitId"],
            name=event.get("name", ""),
            user_id=event.get("user", {}).get("userId", ""),
            payload=request.data,
        )
        forward.delay(hit.pk)
        return Response(status=204)


urlpatterns = [path("track", TrackView.as_view())]
