"""POST /collect and /f/<path>: the vendor's JavaScript SDK and our own script, in browsers.

Neither sends an Authorization header: the project id in the body names the token, or the path does.
The Content-Type is text/plain, so that browsers send no preflight. No client reads the answer.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from tracking.ingest.auth.authentication import Key, key_of_path, key_of_project
from tracking.ingest.auth.client_ip import client_of
from tracking.ingest.errors import Unauthorized
from tracking.ingest.http.views import IngestView
from tracking.ingest.parse.body import MAX_BODY, read
from tracking.ingest.parse.json_decoding import decode
from tracking.ingest.parse.track_payload import read_hit


class CollectView(IngestView):
    def post(self, request: Request, path: str = "") -> HttpResponse:
        opened = self.admit(request, key_of_path(path)) if path else None
        django_request = request._request
        body = read(django_request, MAX_BODY)
        payload = decode(body)
        opened = opened or self.admit(request, key_of(payload.get("projectId")))
        arrival = read_hit(payload, body, client_of(django_request.META, opened), browser=True)
        self.store(arrival)
        return HttpResponse(status=204)


def key_of(project_id: object) -> Key:
    if project_id is None:
        raise Unauthorized("token_missing", "The body must name a token by its `projectId`.")
    try:
        return key_of_project(UUID(str(project_id)))
    except ValueError:
        raise Unauthorized("token_malformed", "`projectId` must be a project id, a UUID.") from None
