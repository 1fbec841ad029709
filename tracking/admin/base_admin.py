"""What all of our admin pages have in common: the viewer's time zone, a
Content-Security-Policy, and no server error for a character that Postgres cannot store."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tracking.admin.time_column import with_time_columns
from tracking.presentation.admin_frame import set_frame
from tracking.presentation.csp import admin_csp
from tracking.presentation.denied import denied
from tracking.presentation.viewer_zone import zone_of

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

NUL = "\0"


class BaseAdmin(admin.ModelAdmin):
    #: The place of the model's pages in the console's navigation.
    here: ClassVar[str] = "admin"
    #: The titles of the two forms. Django's are built from pieces, which few languages allow.
    add_title: ClassVar[StrOrPromise] = ""
    change_title: ClassVar[StrOrPromise] = ""

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        own = self.add_title if add else self.change_title
        if own and (add or self.has_change_permission(request, obj)):
            context["title"] = own
        if obj is not None:
            context |= self.row_context(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_list_display(self, request: HttpRequest) -> Any:
        return with_time_columns(self.model, super().get_list_display(request))

    def row_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return what the page of a row shows beside its fields."""
        return {}

    @property
    def urls(self) -> list[URLPattern]:
        """The URLs of all pages, the further pages of subclasses included."""
        found: list[URLPattern] = self.get_urls()
        for each in found:
            if isinstance(each, URLPattern):
                each.callback = guarded(each.callback, self.here, self.opts.model_name or "")
        return found


def guarded(
    view: Callable[..., HttpResponseBase], here: str, model: str
) -> Callable[..., HttpResponseBase]:
    """Return the view in the viewer's time zone and in its frame, with the policy, with 400 for an
    address or a filter that holds NUL, and with the permission in a refusal."""

    @wraps(view)
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        texts = (request.path, *(value for _, values in request.GET.lists() for value in values))
        if any(NUL in text for text in texts):
            return HttpResponseBadRequest(_("The address holds a character that is not allowed."))
        with timezone.override(zone_of(request)):
            try:
                response = view(request, *args, **kwargs)
            except PermissionDenied as error:
                if error.args:
                    raise
                raise denied(request.user, [f"hitstream.view_{model}"]) from None
            if isinstance(response, TemplateResponse):
                set_frame(response, here)
                response.render()
        response.headers.setdefault("Content-Security-Policy", admin_csp())
        return response

    return guard


def link_to_docs(url: str) -> SafeString:
    return format_html(
        '{} <a href="{}">{}</a>', _("Where to find these values:"), url, _("vendor docs")
    )
