"""The document: the routes as the project's URLs include them, with the description of each.

drf-spectacular lists the routes, assembles the document and serves it. Only the ingest routes are
in it, wherever else the project uses Django REST framework.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry

from tracking.ingest.http.views import IngestView
from tracking.openapi.about import ABOUT, HEADERS, SECURITY
from tracking.openapi.answers import EXAMPLES
from tracking.openapi.operations import describe
from tracking.openapi.schemas import COMPONENTS


class OurRegistry(ComponentRegistry):
    """The registry by which an operation knows that the document is Hitstream's own."""


class Written(AutoSchema):
    """Takes the operation that is described for the view; nothing is inferred. Other documents lack
    what the operation refers to, and leave it out."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> dict[str, Any] | None:
        if not isinstance(registry, OurRegistry):
            return None
        return describe(cast(IngestView, self.view), path).at(path)


class WrittenView(OpenApiViewExtension):
    """Hitstream's views, in this document and in the project's own if it makes one."""

    target_class = IngestView
    match_subclasses = True

    def view_replacement(self) -> type[IngestView]:
        target: type[IngestView] = self.target
        return type(target.__name__, (target,), {"schema": Written()})


class IngestRoutes(EndpointEnumerator):
    """The operations in the order of the routes, without the twins that end in a slash."""

    def should_include_endpoint(self, path: str, callback: Callable[..., Any]) -> bool:
        view = getattr(callback, "cls", None)
        return isinstance(view, type) and issubclass(view, IngestView)

    def get_api_endpoints(self, patterns: Any = None, prefix: str = "") -> list[Any]:
        found: list[Any] = self._get_api_endpoints(self.patterns, prefix)  # type: ignore[no-untyped-call]
        twins = {f"{path}/" for path, *_ in found}
        return [each for each in found if each[0] not in twins]


class Generator(SchemaGenerator):
    endpoint_inspector_cls = IngestRoutes

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.registry = OurRegistry()

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        """Return a document of OpenAPI 3.1, whatever version the project sets for its own
        documents: the schemas need it."""
        document: dict[str, Any] = super().get_schema(request, public)  # type: ignore[no-untyped-call]
        return {
            **ABOUT,
            "paths": document["paths"],
            "components": {
                "schemas": COMPONENTS,
                "examples": EXAMPLES,
                "headers": HEADERS,
                "securitySchemes": SECURITY,
            },
        }
