"""The pages of integrations: whether they work, what is wrong where they do not, and what can be
done.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tracking import db
from tracking.conf import conf
from tracking.console.access import page, show
from tracking.console.integration_row import IntegrationRow, in_order, integration_rows
from tracking.console.time_range import TimeRange
from tracking.events import TEST_EVENT, TEST_USER
from tracking.ingest.errors import IngestError
from tracking.ingest.track import track
from tracking.models import Hit, Integration, Ledger, Operation
from tracking.models.access.scope import Scope
from tracking.models.deliveries.criteria import Criteria
from tracking.models.deliveries.dead_letter import CODES
from tracking.models.ledger.failure_groups import failure_groups, reasons
from tracking.models.operations.backfill import Backfill
from tracking.presentation.pill import state_of_operation

#: The series that the chart stacks, each with its label and the number of its colour.
SERIES = {
    "delivered": (_("Delivered"), 1),
    "skipped": (_("Skipped"), 6),
    "cancelled": (_("Cancelled"), 5),
    "dead": (_("Dead"), 3),
    "waiting": (_("Waiting"), 2),
}
#: Integrations on one page.
PER_PAGE = 100
#: The maximum of operations on the page, the latest ones.
OPERATIONS = 5


@page("view_integration")
def integrations(request: HttpRequest, scope: Scope) -> HttpResponse:
    time_range = TimeRange.of(request)
    paginator = Paginator(in_order(scope.limit(Integration.objects.present())), PER_PAGE)
    current = paginator.get_page(request.GET.get("page"))
    return show(
        request,
        "integrations",
        title=gettext("Integrations"),
        here="integrations",
        time_range=time_range,
        page=current,
        rows=integration_rows(current, time_range),
    )


@page("view_integration")
def integration(request: HttpRequest, scope: Scope, pk: int) -> HttpResponse:
    time_range = TimeRange.of(request)
    obj = present(scope, pk)
    (row,) = integration_rows([obj], time_range)
    reason_counts = reasons(obj)
    operations = list(Operation.objects.filter(integration=obj).order_by("-id")[:OPERATIONS])
    return show(
        request,
        "integration",
        title=obj.name,
        here="integrations",
        time_range=time_range,
        row=row,
        integration=obj,
        series=SERIES,
        buckets=buckets_of(obj, time_range),
        failures=failure_groups(obj),
        dead=[(code, CODES.get(code, ""), count) for code, count in reason_counts["dead"]],
        skipped=reason_counts["skipped"],
        operations=[(operation, state_of_operation(operation)) for operation in operations],
        breaker_failures=conf.BREAKER_FAILURES,
        operations_open=any(operation.is_open for operation in operations),
        primary=primary(row),
        back=urlencode({"next": request.path}),
    )


def primary(row: IntegrationRow) -> str:
    """Return the action that the state calls for."""
    if row.integration.paused_at:
        return "resume"
    is_sent = row.integration.enabled or row.integration.draining
    return "replay" if is_sent and row.balance["dead"] else "test"


def present(scope: Scope, pk: int) -> Integration:
    """Return the integration. Raises Http404 if it is deleted or outside the scope."""
    seen = scope.limit(Integration.objects.present().select_related("token"))
    return get_object_or_404(seen, pk=pk)


def buckets_of(obj: Integration, time_range: TimeRange) -> list[tuple[datetime, list[int]]]:
    """Return, for each hour or day of the time range, the outcomes of the hits that arrived in
    it."""
    filled = {bucket: [0] * len(SERIES) for bucket in time_range.buckets()}
    for row in Ledger.objects.settled(obj.pk, time_range.since):
        sums = filled.setdefault(time_range.bucket_of(row.at), [0] * len(SERIES))
        ended = [row[kind] for kind in SERIES if kind != "waiting"]
        for place, count in enumerate((*ended, row["matched"] - sum(ended))):
            sums[place] += count
    return sorted(filled.items())


@page("view_integration", "change_integration", methods=("POST",))
def send_test_event(request: HttpRequest, scope: Scope, pk: int) -> HttpResponse:
    """Store a real hit, queue it for this integration alone, whatever events that takes, and show
    it."""
    obj = present(scope, pk)
    others = Integration.objects.present().filter(token=obj.token)
    # By name: the name of an integration may also be the name of another one's destination.
    switches = {"All": False, **dict.fromkeys(others.values_list("name", flat=True), False)}
    try:
        with db.atomic():
            hit_id = track(obj.token, TEST_EVENT, anonymous_id=TEST_USER, integrations=switches)
            stored = Hit.objects.using(db.write_alias()).filter(token=obj.token, hit_id=hit_id)
            Backfill(obj, Criteria()).enqueue([stored.latest("id").pk])
    except IngestError as error:
        text = gettext("No test event was sent: %(error)s") % {"error": error}
        messages.error(request, text)
        return redirect("hitstream-console:integration", pk)
    return redirect(f"{reverse('hitstream-console:search')}?{urlencode({'q': hit_id})}")
