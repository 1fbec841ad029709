"""A preview of the mapping on the last hits, while the operator types: nothing is saved."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse

from tracking.admin.integration_form import MAPPING
from tracking.admin.mapping_form import MappingForm
from tracking.admin.object_page import AdminPage
from tracking.destinations.mapping import document
from tracking.destinations.mapping.event_mapping import EventMapping, Skipped
from tracking.events import Event
from tracking.exceptions import DeliveryError
from tracking.models import Hit, Integration
from tracking.models.access.scope import Scope
from tracking.presentation.row_id import row_id

HITS = 20


class MappingPreview(AdminPage):
    """JSON: the form's `errors` by field, and the `hits`, each with the document before, and after
    or why it is not sent. For users who may change integrations and view hits."""

    def post(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.has_perms(("hitstream.change_integration", "hitstream.view_hit")):
            raise PermissionDenied
        token = row_id(request.POST.get("token", ""))
        if token is None:
            return HttpResponseBadRequest("Choose a token.")
        if not Scope.of(user).sees(token):
            raise Http404
        form = MappingForm(request.POST, prefix=MAPPING.rstrip("-"))
        errors = {f"{MAPPING}{name}": list(texts) for name, texts in form.errors.items()}
        names = {line.strip() for line in request.POST.get("event_names", "").splitlines()} - {""}
        mapping = form.mapping() if form.is_valid() else None
        hits = [show(event, mapping, names) for event in last_events(token)]
        return JsonResponse({"errors": errors, "hits": hits})


def last_events(token_id: int) -> list[Event]:
    ids = list(
        Hit.objects.filter(token_id=token_id).order_by("-pk").values_list("pk", flat=True)[:HITS]
    )
    events = Hit.objects.events(ids, Integration(token_id=token_id))
    return [events[id] for id in ids if id in events]


def show(event: Event, mapping: EventMapping | None, names: set[str]) -> dict[str, Any]:
    before = document.read(event)
    shown = {"id": str(event.id), "name": event.name or event.type, "before": before}
    if mapping is None:
        return shown
    if names and event.name not in names:
        return {**shown, "skipped": "The integration takes only the listed events."}
    try:
        return {**shown, "after": document.read(mapping.apply(event))}
    except Skipped as skipped:
        return {**shown, "skipped": str(skipped)}
    except DeliveryError as error:
        return {**shown, "failed": str(error)}
