"""A preview of the mapping on the last hits, while the operator types: nothing is saved."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tracking import db
from tracking.admin.integration_form import MAPPING
from tracking.admin.mapping_form import MappingForm
from tracking.admin.object_page import AdminPage
from tracking.destinations.mapping import document
from tracking.destinations.mapping.event_mapping import EventMapping, Outcome, Skipped
from tracking.events import Event
from tracking.exceptions import DeliveryError, SetupError, blame
from tracking.models import Hit, Integration
from tracking.models.access.scope import Scope
from tracking.presentation.row_id import row_id

HITS = 20
#: Previews at once, in one process: they wait for one evaluator, and other pages need threads.
_previews = threading.BoundedSemaphore(4)


class MappingPreview(AdminPage):
    """JSON: a `title`, the form's `errors` by field, and the `hits`, each with the document before,
    and after or why it is not sent. For users who may change integrations and view hits."""

    def post(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.has_perms(("hitstream.change_integration", "hitstream.view_hit")):
            raise PermissionDenied
        token = row_id(request.POST.get("token", ""))
        if token is None:
            return HttpResponseBadRequest(_("Choose a token."))
        if not Scope.of(user).sees(token):
            raise Http404
        if not _previews.acquire(blocking=False):
            return HttpResponse(_("Try it again soon."), status=503, headers={"Retry-After": "1"})
        try:
            return self.preview(request, token)
        finally:
            _previews.release()

    def preview(self, request: HttpRequest, token_id: int) -> HttpResponse:
        form = MappingForm(request.POST, prefix=MAPPING.rstrip("-"))
        errors = {f"{MAPPING}{name}": list(texts) for name, texts in form.errors.items()}
        names = {line.strip() for line in request.POST.get("event_names", "").splitlines()} - {""}
        mapping = form.mapping() if form.is_valid() else None
        events = last_events(token_id)
        db.release()
        hits = show_all(events, mapping, names)
        return JsonResponse({"title": title_of(len(hits)), "errors": errors, "hits": hits})


def title_of(count: int) -> str:
    """Return the heading of the preview on so many hits."""
    if not count:
        return gettext("No hits yet")
    text = ngettext("Preview on the last hit", "Preview on the last %(count)s hits", count)
    return text % {"count": count}


def last_events(token_id: int) -> list[Event]:
    ids = list(
        Hit.objects.filter(token_id=token_id).order_by("-pk").values_list("pk", flat=True)[:HITS]
    )
    events = Hit.objects.events(ids, Integration(token_id=token_id))
    return [events[id] for id in ids if id in events]


def show_all(
    events: Sequence[Event], mapping: EventMapping | None, names: set[str]
) -> list[dict[str, Any]]:
    """Return what the page shows of each event. An expression that takes too long fails for all."""
    if mapping is None:
        return [show(event) for event in events]
    wanted = [event for event in events if not names or event.name in names]
    ids = [event.id for event in wanted]
    outcomes: dict[UUID, Outcome]
    try:
        outcomes = dict(zip(ids, mapping.apply_all(wanted), strict=True))
    except SetupError as error:
        outcomes = dict.fromkeys(ids, error)
    return [{**show(event), **show_outcome(outcomes.get(event.id))} for event in events]


def show(event: Event) -> dict[str, Any]:
    return {
        "id": str(event.id),
        "name": event.name or event.type,
        "before": document.read(event),
    }


def show_outcome(outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return {"skipped": str(_("The integration takes only the listed events."))}
    if isinstance(outcome, Event):
        return {"after": document.read(outcome)}
    if isinstance(outcome, Skipped):
        return {"skipped": str(outcome)}
    return {"failed": str(outcome) if isinstance(outcome, DeliveryError) else blame(outcome)}
