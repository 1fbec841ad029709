"""Requests to vendors, read-only: a list, and each with its hits, its request and its response."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from tracking.admin.filters import PresentFilter
from tracking.admin.read_only import ReadOnlyAdmin
from tracking.models import Attempt
from tracking.models.explain.attempt_hits import attempt_hits
from tracking.models.integrations.failing import failure_cause
from tracking.presentation.admin_site import admin_site
from tracking.presentation.curl import curl_of, is_cut, is_masked
from tracking.presentation.moments import NONE

#: The log around an attempt has the hits that arrived this long before and after it.
BEFORE, AFTER = timedelta(minutes=10), timedelta(minutes=1)


@admin.register(Attempt, site=admin_site())
class AttemptAdmin(ReadOnlyAdmin):
    here = "integrations"
    owner = "integration__token"
    list_display = ("made_at", "integration", "answer", "milliseconds", "hits", "failure")
    list_filter = (("integration", PresentFilter),)
    list_select_related = ("integration__token",)
    ordering = ("-id",)
    change_form_template = "admin/hitstream/attempt/change_form.html"

    class Media:
        css = {"all": ("hitstream/admin.css",)}  # noqa: RUF012 (Django's own form)

    @admin.display(description=_("response"))
    def answer(self, attempt: Attempt) -> SafeString:
        colour = "bad" if attempt.code else "good"
        text = failure_cause(attempt.status, attempt.code, attempt.message)
        return format_html('<span class="hs-{}">{}</span>', colour, text)

    @admin.display(description=_("ms"))
    def milliseconds(self, attempt: Attempt) -> int:
        return round(attempt.duration * 1000)

    @admin.display(description=_("error"))
    def failure(self, attempt: Attempt) -> str:
        return Truncator(attempt.message).chars(120) if attempt.code else NONE

    def row_context(self, request: HttpRequest, obj: Attempt) -> dict[str, Any]:
        return shown(request, obj)


def shown(request: HttpRequest, attempt: Attempt) -> dict[str, Any]:
    """Return what the page shows beside the attempt itself."""
    command = curl_of(attempt) if attempt.url else ""
    may_see_hits = request.user.has_perm("hitstream.view_hit")
    hits = attempt_hits(attempt) if may_see_hits else []
    return {
        "attempt": attempt,
        "integration": attempt.integration,
        "hits": hits,
        "hits_left": attempt.hits - len(hits),
        "around": around(attempt),
        "curl": command,
        "is_masked": is_masked(command),
        "is_cut": bool(command and is_cut(attempt)),
    }


def around(attempt: Attempt) -> str:
    """Return the address of the delivery log about this time, empty without one."""
    try:
        log = reverse("hitstream-console:deliveries")
    except NoReverseMatch:
        return ""
    if attempt.integration.deleted_at:
        return ""
    made = timezone.localtime(attempt.made_at)
    since, until = (f"{made + span:%Y-%m-%dT%H:%M:%S}" for span in (-BEFORE, AFTER))
    wanted = {"integration": attempt.integration_id, "since": since, "until": until}
    return f"{log}?{urlencode(wanted)}"
