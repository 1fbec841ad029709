"""The last step of a new integration: its secrets, shown once, and a test event."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from tracking.admin.object_page import ObjectPage
from tracking.models import Integration
from tracking.presentation.admin_site import admin_url


class DoneView(ObjectPage):
    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        return self.show("integration_done", **done(self.object))


def done(integration: Integration) -> dict[str, Any]:
    """Return the context of the page. Without the console there is no test event."""
    try:
        test_url = reverse("hitstream-console:test-event", args=(integration.pk,))
        health_url = reverse("hitstream-console:integration", args=(integration.pk,))
    except NoReverseMatch:
        test_url = health_url = ""
    return {
        "title": _("%(name)s is set up") % {"name": integration.name},
        "integration": integration,
        "test_url": test_url,
        "health_url": health_url,
        "change_url": admin_url("hitstream_integration_change", integration.pk),
    }
