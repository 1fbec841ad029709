"""Pages beside the admin's own, each declared by name in the `pages` of its admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views import View

from tracking.admin.base_admin import BaseAdmin
from tracking.presentation.admin_site import frame

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class AdminPage(View):
    """A page of a model's admin. `route` is its address below the model's list."""

    route: ClassVar[str] = "{name}/"
    site: admin.ModelAdmin = None  # type: ignore[assignment]


class ObjectPage(AdminPage):
    """A page about one object, which `dispatch` sets. The attribute `title` names the page."""

    route = "<path:pk>/{name}/"
    title: ClassVar[StrOrPromise] = ""
    object: Any

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request. Raises Http404 without the object, PermissionDenied unless
        `is_allowed`."""
        self.object = self.site.get_object(request, kwargs["pk"])
        if self.object is None:
            raise Http404
        if not self.is_allowed():
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def is_allowed(self) -> bool:
        """Return whether the user may open the page: by default, may view the object."""
        return self.site.has_view_permission(self.request, self.object)

    def show(self, template: str, **context: Any) -> TemplateResponse:
        """Return the template inside the admin's frame."""
        return TemplateResponse(
            self.request,
            f"hitstream/{template}.html",
            {
                **frame(self.site.admin_site, self.request),
                "title": self.title,
                "object": self.object,
                "opts": self.site.opts,
                **context,
            },
        )


class PagesAdmin(BaseAdmin):
    """An admin with further pages, by name. The URL of a page is named `hitstream_MODEL_PAGE`."""

    pages: ClassVar[Mapping[str, type[AdminPage]]] = {}

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                page.route.format(name=name),
                self.admin_site.admin_view(page.as_view(site=self)),
                name=f"hitstream_{self.opts.model_name}_{name.replace('-', '_')}",
            )
            for name, page in self.pages.items()
        ]
        return [*own, *super().get_urls()]
