"""What all of our admin pages have in common: a strict Content-Security-Policy, and no server error
for a character that Postgres cannot store."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern

from tracking.presentation.csp import CSP

NUL = "\0"


class BaseAdmin(admin.ModelAdmin):
    @property
    def urls(self) -> list[URLPattern]:
        """The URLs of all pages, the further pages of subclasses included."""
        found: list[URLPattern] = self.get_urls()
        for each in found:
            if isinstance(each, URLPattern):
                each.callback = guarded(each.callback)
        return found


def guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Return the view with the policy, and with 400 for an address or a filter that holds NUL."""

    @wraps(view)
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        texts = (request.path, *(value for _, values in request.GET.lists() for value in values))
        if any(NUL in text for text in texts):
            return HttpResponseBadRequest("The address holds a character that is not allowed.")
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Content-Security-Policy", CSP)
        return response

    return guard
