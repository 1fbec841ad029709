"""The document, and a page to read and try it. Both are public."""

from __future__ import annotations

from typing import Any

from django.views.generic import TemplateView
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import DefaultContentNegotiation

from tracking.openapi.generator import Generator


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

    def _get_filename(self, request: Any, version: Any) -> str:
        return f"hitstream.{request.accepted_renderer.format}"


class DocsView(TemplateView):
    template_name = "hitstream/openapi.html"
