"""The audit page: who changed what, when. Revisions hold no secret, so the page shows none."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive
from django.utils.translation import gettext as _

from tracking.console.access import page, show
from tracking.models import Token
from tracking.models.access.scope import Scope
from tracking.models.explain.audit_log import audit_entries
from tracking.presentation.row_id import row_id

PAGE = 50


@page("view_revision", "view_operation")
def audit(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Return the page of entries before `before`, an ISO time, filtered by `token` and `by`."""
    token = request.GET.get("token", "")
    # As the database stores it.
    by = request.GET.get("by", "").strip().replace("\0", "\ufffd")
    entries = audit_entries(
        scope,
        limit=PAGE + 1,
        before=moment(request.GET.get("before", "")),
        token=row_id(token),
        by=by,
    )
    return show(
        request,
        "audit",
        title=_("Audit"),
        here="audit",
        entries=entries[:PAGE],
        older=entries[PAGE - 1].at if len(entries) > PAGE else None,
        tokens=scope.limit(Token.objects.order_by("name"), "pk"),
        token=token,
        by=by,
    )


def moment(text: str) -> datetime | None:
    try:
        parsed = parse_datetime(text)
    except ValueError:
        return None
    return None if parsed is None or is_naive(parsed) else parsed
