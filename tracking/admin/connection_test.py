"""Whether an integration's configuration works: a harmless call, and what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from tracking.admin.confirm import asked_back, confirm
from tracking.destinations.contract.connection_test import ConnectionResult, check_connection
from tracking.exceptions import SetupError
from tracking.models import Integration


def verify(site: admin.ModelAdmin, request: HttpRequest, pk: str) -> HttpResponse:
    def act(request: HttpRequest, obj: Integration, asked: dict[str, Any]) -> HttpResponse:
        context = {
            **site.admin_site.each_context(request),
            "title": "Test the connection",
            "object": obj,
            "back": asked_back(request),
            "opts": site.opts,
            "verdict": judge(obj),
        }
        return TemplateResponse(request, "hitstream/verdict.html", context)

    return confirm(
        site,
        request,
        pk,
        title="Test the connection",
        explanation="The destination is called in a way that changes nothing there, with the "
        "configuration as it is saved.",
        act=act,
    )


def judge(integration: Integration) -> ConnectionResult:
    try:
        return check_connection(integration.open())
    except SetupError as error:
        return ConnectionResult(False, str(error))
