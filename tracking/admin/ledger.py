"""What became of the hits of each hour, in numbers that add up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from tracking.models import Ledger
from tracking.models.ledger.ledger import ENDS, LedgerHour

DAYS = {"1": "a day", "7": "a week", "30": "a month"}
OF_INTEGRATION = ("matched", *ENDS)
OF_TOKEN = ("accepted", "stored", "duplicate", "refused")


def integration_ledger(site: admin.ModelAdmin, request: HttpRequest, pk: str) -> HttpResponse:
    """matched = delivered + skipped + cancelled + dead + pending + retrying, hour by hour."""
    return _page(site, request, pk, columns=OF_INTEGRATION, read=Ledger.objects.of_integration)


def token_ledger(site: admin.ModelAdmin, request: HttpRequest, pk: str) -> HttpResponse:
    """accepted = stored + duplicate, hour by hour; and what was refused."""
    return _page(site, request, pk, columns=OF_TOKEN, read=Ledger.objects.of_token)


def _page(
    site: admin.ModelAdmin, request: HttpRequest, pk: str, *, columns: tuple[str, ...], read: Any
) -> HttpResponse:
    obj = site.get_object(request, pk)
    if obj is None:
        raise Http404
    if not site.has_view_permission(request, obj):
        raise PermissionDenied
    chosen = request.GET.get("days")
    days = chosen if chosen in DAYS else "1"
    now = timezone.localtime()
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=int(days))
    hours: list[LedgerHour] = read(obj.pk, since)
    context = {
        **site.admin_site.each_context(request),
        "title": "Ledger",
        "subtitle": str(obj),
        "object": obj,
        "opts": site.opts,
        "columns": columns,
        "rows": [_row(hour, columns) for hour in hours],
        "totals": [sum(_value(hour, column) for hour in hours) for column in columns],
        "days": days,
        "choices": DAYS,
    }
    return TemplateResponse(request, "hitstream/ledger.html", context)


def _row(hour: LedgerHour, columns: tuple[str, ...]) -> tuple[datetime, list[int], bool]:
    adds_up = hour.adds_up if columns == OF_INTEGRATION else True
    return hour.hour, [_value(hour, column) for column in columns], adds_up


def _value(hour: LedgerHour, column: str) -> int:
    return hour.stored if column == "stored" else hour[column]
