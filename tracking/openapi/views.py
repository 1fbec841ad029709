"""The document, and a page to read and try it. Both are public."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.generic import TemplateView
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from tracking.openapi.generator import Generator
from tracking.presentation.admin_frame import is_routed


class CompactJson(OpenApiJsonRenderer2):
    """JSON without indentation, a third of the size."""

    def get_indent(self, accepted_media_type: str, renderer_context: Any) -> None:
        return None


class SchemaView(SpectacularAPIView):
    """The document, independent of the project's REST framework defaults. JSON by default, YAML on
    request."""

    generator_class = Generator
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    versioning_class = None
    content_negotiation_class = DefaultContentNegotiation
    renderer_classes = [  # noqa: RUF012 (the framework's own attribute)
        CompactJson,
        OpenApiJsonRenderer,
        OpenApiYamlRenderer2,
        OpenApiYamlRenderer,
    ]
    serve_public = True
    urlconf = None
    custom_settings: dict[str, Any] | None = None

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with the document, which each process makes once: it takes a core a third of a
        second."""
        renderer = request.accepted_renderer
        made = documents.get(type(renderer), reverse("hitstream:track"))
        response = HttpResponse(made.content, content_type=renderer.media_type)
        response.headers["Content-Disposition"] = f'inline; filename="hitstream.{renderer.format}"'
        response.headers["ETag"] = made.etag
        return get_conditional_response(request._request, etag=made.etag, response=response)  # type: ignore[return-value]


@dataclass(frozen=True)
class Document:
    """The document in one format."""

    content: bytes
    etag: str


class Documents:
    """The document in each format, made by the first request that wants it. The routes are at
    another path in each project, never within a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[tuple[type[BaseRenderer], str], Document] = {}

    def get(self, renderer: type[BaseRenderer], where: str) -> Document:
        """Return the document as the renderer writes it. `where` is the path of a route."""
        key = renderer, where
        if key not in self._made:
            with self._lock:
                if key not in self._made:
                    self._made[key] = make(renderer)
        return self._made[key]


def make(renderer: type[BaseRenderer]) -> Document:
    schema = Generator().get_schema(public=True)
    rendered = renderer().render(schema, renderer_context={})
    content = rendered if isinstance(rendered, bytes) else rendered.encode()
    return Document(content, f'"{sha256(content).hexdigest()[:16]}"')


documents = Documents()


class DocsView(TemplateView):
    """The page: inside the console's frame for who is signed in to it, else with a plain header."""

    template_name = "hitstream/openapi.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = getattr(self.request, "user", None)
        has_console = is_routed()
        is_inside = has_console and user is not None and user.is_active and user.is_staff
        return super().get_context_data(has_console=has_console, is_inside=is_inside, **kwargs)
