"""The page that shows a new secret once: the response to the POST that created it. The secret
itself is not stored.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from tracking.admin.base_admin import BaseAdmin
from tracking.models.tokens.api_token import ApiToken
from tracking.models.tokens.token import Token
from tracking.presentation.admin_site import admin_url, frame
from tracking.presentation.snippets import curl


def show_once(
    site: admin.ModelAdmin,
    request: HttpRequest,
    obj: Any,
    *,
    template: str = "issued",
    **context: Any,
) -> HttpResponse:
    response = TemplateResponse(
        request,
        f"hitstream/{template}.html",
        {
            **frame(site.admin_site, request),
            "object": obj,
            "opts": site.opts,
            "back": admin_url(f"hitstream_{site.opts.model_name}_change", obj.pk),
            **context,
        },
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def show_token(
    site: admin.ModelAdmin, request: HttpRequest, token: Token, secret: ApiToken
) -> HttpResponse:
    """Return a page with the API token and, if this site takes hits, a command that sends the first
    one."""
    title, secrets = _("API token issued"), [(_("API token"), str(secret))]
    try:
        url = request.build_absolute_uri(reverse("hitstream:track"))
    except NoReverseMatch:
        return show_once(site, request, token, title=title, secrets=secrets)
    secrets.append((_("Send a first hit"), curl(url, secret)))
    return show_once(site, request, token, title=title, secrets=secrets)


class IssuingAdmin(BaseAdmin):
    """An admin that shows once the secrets that saving created: the object's `issued`."""

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        return self.show_issued(request, obj) or super().response_add(request, obj, *args)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self.show_issued(request, obj) or super().response_change(request, obj)

    def show_issued(self, request: HttpRequest, obj: Any) -> HttpResponse | None:
        if not obj.issued:
            return None
        title = _("%(name)s is set up") % {"name": obj.name}
        return show_once(self, request, obj, title=title, secrets=secrets_of(obj))


def secrets_of(obj: Any) -> list[tuple[str, str]]:
    """Return the secrets that saving created, with their labels."""
    return [(name.replace("_", " "), value) for name, value in obj.issued.items()]
