"""How much comes in, where it goes, and whether anything is in its way."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from tracking.console.access import page, show
from tracking.models.scope import Scope


@page("view_token", "view_integration")
def home(request: HttpRequest, scope: Scope) -> HttpResponse:
    return show(request, "home", title="Home", here="home")
