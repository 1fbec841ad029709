"""The delivery log: the deliveries of an integration, or of all, by any filter; and each of them
with its requests and responses.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracking.console.access import page, show
from tracking.console.delivery_filters import DeliveryFilters
from tracking.console.integrations import present
from tracking.models import Integration, Operation
from tracking.models.access.scope import Scope
from tracking.models.deliveries.delivery import DeliveryState
from tracking.models.explain.delivery_entry import LogAttempt, log_entries
from tracking.models.explain.delivery_log import (
    COUNTED,
    LogCount,
    LogPage,
    LogQuery,
    log_count,
    log_page,
)
from tracking.models.explain.delivery_scan import Key
from tracking.models.operations.operation import OPEN
from tracking.presentation.admin_site import admin_url
from tracking.presentation.curl import curl_of, is_cut, is_masked
from tracking.presentation.row_id import row_id
from tracking.uuid7 import moment_of

#: The operations on all that match, by the state that is chosen: the page, and the permission.
BULK = {
    DeliveryState.DEAD: ("replay", "hitstream.change_deadletter"),
    DeliveryState.RETRYING: ("retry_now", "hitstream.change_integration"),
}

#: So long after the end of an operation the log is still fetched again.
LATELY = timedelta(seconds=5)


@page("view_delivery", "view_hit")
def deliveries(request: HttpRequest, scope: Scope) -> HttpResponse:
    return log(request, scope)


@page("view_delivery", "view_hit", "view_integration")
def of_integration(request: HttpRequest, scope: Scope, pk: int) -> HttpResponse:
    return log(request, scope, present(scope, pk))


def log(request: HttpRequest, scope: Scope, obj: Integration | None = None) -> HttpResponse:
    """Return a page of the log: the first, or the one beyond the key that the address names."""
    form = DeliveryFilters(request.GET, scope, obj)
    query = form.query()
    # Before the rows: they may be older than the end of the operation.
    is_changing = bool(query and query.integration and is_at_work(query))
    is_counted = is_changing or bool(request.GET.get("count"))
    count = log_count(query) if query and is_counted else None
    before, after = key_of(request, "before"), key_of(request, "after")
    found = log_page(query, after or before, upwards=after is not None) if query else None
    if after and query and found and not found.newer and not found.looked:
        # There is less than a page: the latest entries fill it.
        before = after = None
        found = log_page(query)
    is_whole = found is not None and not (found.older or found.newer or found.looked or before)
    if found and is_whole:
        count = LogCount(len(found.entries), is_whole=True)
    return show(
        request,
        "deliveries",
        title=obj.name if obj else _("Deliveries"),
        here="deliveries",
        integration=obj,
        form=form,
        page=found,
        is_filtered=bool(form.parameters()),
        is_first=not (before or after),
        count=count_text(count) if count else "",
        older=form.parameters(before=written(found.older)) if found and found.older else "",
        newer=form.parameters(after=written(found.newer)) if found and found.newer else "",
        go_on=go_on(form, found.looked, after) if found else "",
        looked_at=moment_of(found.looked[0]) if found and found.looked else None,
        text_since=form.text_since() if query else None,
        bulk=bulk(request, form, query) if query and found and has_any(found) else "",
        refresh=refresh(query, found, is_changing) if query and found else "",
        wants_integration=bool(query and not query.integration and query.state in BULK),
    )


@page("view_delivery", "view_hit")
def count(request: HttpRequest, scope: Scope) -> HttpResponse:
    return counted(request, scope)


@page("view_delivery", "view_hit", "view_integration")
def count_of_integration(request: HttpRequest, scope: Scope, pk: int) -> HttpResponse:
    return counted(request, scope, present(scope, pk))


def counted(request: HttpRequest, scope: Scope, obj: Integration | None = None) -> HttpResponse:
    """Return the number of deliveries that match as JSON, in a `text` for people."""
    query = DeliveryFilters(request.GET, scope, obj).query()
    return JsonResponse({"text": count_text(log_count(query)) if query else ""})


def count_text(found: LogCount) -> str:
    if found.is_more:
        text = ngettext("more than %(number)s delivery", "more than %(number)s deliveries", COUNTED)
        return text % {"number": intcomma(COUNTED)}
    shown = {"number": intcomma(found.number)}
    if not found.is_whole:
        text = ngettext(
            "at least %(number)s delivery", "at least %(number)s deliveries", found.number
        )
        return text % shown
    return ngettext("%(number)s delivery", "%(number)s deliveries", found.number) % shown


def key_of(request: HttpRequest, name: str) -> Key | None:
    """Return the key in this parameter, None without one."""
    hit_id, _, integration = request.GET.get(name, "").partition("_")
    try:
        pk = row_id(integration)
        return (UUID(hit_id), pk) if pk is not None else None
    except ValueError:
        return None


def written(key: Key) -> str:
    hit_id, pk = key
    return f"{hit_id}_{max(pk, 0)}"


def go_on(form: DeliveryFilters, looked: Key | None, after: Key | None) -> str:
    """Return the query string that goes on where the search ran out of time; empty if it did
    not."""
    if looked is None:
        return ""
    return form.parameters(**{"after" if after else "before": written(looked)})


def has_any(listed: LogPage) -> bool:
    """Return whether a delivery may match: one does, or the search has not come to its end."""
    return bool(listed.entries or listed.looked)


def is_at_work(query: LogQuery) -> bool:
    """Return whether an operation changes the deliveries of the integration, or did just now."""
    at_work = Q(state__in=OPEN) | Q(ended_at__gte=timezone.now() - LATELY)
    return Operation.objects.filter(at_work, integration=query.integration).exists()


def refresh(query: LogQuery, listed: LogPage, is_changing: bool) -> SafeString:
    """Return the attributes of the parts that are fetched again: while an operation changes the
    deliveries of the integration, and for two minutes while those are shown that will be retried.
    The result of a search that goes on is left alone."""
    if query.integration is None or listed.looked:
        return mark_safe("")
    if is_changing:
        return mark_safe(' data-refresh="2"')
    if query.state in (DeliveryState.QUEUED, DeliveryState.RETRYING) and listed.entries:
        return mark_safe(' data-refresh="2" data-refresh-slower')
    return mark_safe("")


def bulk(request: HttpRequest, form: DeliveryFilters, query: LogQuery) -> str:
    """Return the address of the page that replays or retries all that match; empty if there is
    none for this state, or not for this user."""
    name, permission = BULK.get(DeliveryState(query.state), ("", "")) if query.state else ("", "")
    if not name or query.integration is None or not request.user.has_perm(permission):
        return ""
    given = form.cleaned_data
    since = form.text_since() or given["since"]
    wanted = {
        "event": given["event"],
        "user": given["user"],
        "status": given["status"],
        "answer": given["answer"],
        "attempts": given["attempts"],
        "received_since": since and since.strftime("%Y-%m-%dT%H:%M:%S"),
        "received_until": given["until"] and given["until"].strftime("%Y-%m-%dT%H:%M:%S"),
        "next": request.get_full_path(),
    }
    address = admin_url(f"hitstream_integration_{name}", query.integration.pk)
    return f"{address}?{urlencode({key: value for key, value in wanted.items() if value})}"


@page("view_delivery", "view_hit")
def delivery(request: HttpRequest, scope: Scope, hit_id: UUID, pk: int) -> HttpResponse:
    """Return the page of a delivery, which the log shows at its side."""
    with_bodies = request.user.has_perm("hitstream.view_attempt")
    entries = log_entries([(hit_id, pk)], with_bodies=with_bodies)
    if not entries or not scope.sees(entries[0].integration.token_id):
        raise Http404
    (entry,) = entries
    return show(
        request,
        "delivery",
        title=entry.title,
        here="deliveries",
        entry=entry,
        attempts=[shown(tried) for tried in reversed(entry.tried)],
        back=reverse("hitstream-console:delivery", args=[hit_id, pk]),
    )


def shown(tried: LogAttempt) -> dict[str, object]:
    """Return what the page shows of an attempt."""
    attempt = tried.attempt
    command = curl_of(attempt) if attempt and attempt.url else ""
    return {
        "outcome": tried.outcome,
        "attempt": attempt,
        "round": tried.round,
        "curl": command,
        "is_masked": is_masked(command),
        "is_cut": bool(attempt and command and is_cut(attempt)),
    }
