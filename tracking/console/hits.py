"""A hit's page: its history, with buttons to replay or retry its deliveries."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from tracking.console.access import page, show
from tracking.models import DeadLetter, Hit, QueuedDelivery
from tracking.models.access.scope import Scope
from tracking.models.explain.hit_history import hit_history
from tracking.models.operations.replay_selected import replay_chosen
from tracking.presentation.next_url import next_url
from tracking.wakeup import wake_dispatcher_on_commit


@page("view_hit")
def hit(request: HttpRequest, scope: Scope, hit_id: UUID) -> HttpResponse:
    obj = seen(scope, hit_id)
    return show(
        request,
        "hit",
        title=obj.name or obj.type,
        here="search",
        history=hit_history(obj),
        has_actions=True,
    )


@page("view_hit")
def peek(request: HttpRequest, scope: Scope, hit_id: UUID) -> HttpResponse:
    """Return what a list shows of the hit at its side: no whole page."""
    obj = seen(scope, hit_id)
    return show(request, "peek", title=obj.name or obj.type, here="live", history=hit_history(obj))


def back_from(request: HttpRequest, obj: Hit) -> str:
    """Return the address of the page that the button was on: a delivery's or the log, else the
    hit's."""
    return next_url(request) or reverse("hitstream-console:hit", args=[obj.pk])


def seen(scope: Scope, hit_id: UUID) -> Hit:
    """Return the hit. Raises Http404 outside the scope."""
    return get_object_or_404(scope.limit(Hit.objects.select_related("token")), pk=hit_id)


@page("view_hit", "change_deadletter", methods=("POST",))
def replay(request: HttpRequest, scope: Scope, hit_id: UUID, pk: int) -> HttpResponse:
    """Queue the hit's dead letter of this integration again."""
    obj = seen(scope, hit_id)
    letters = DeadLetter.objects.filter(hit_id=obj.pk, integration=pk)
    by = request.user.get_username()
    if replay_chosen(letters, by=by, message=f"Only the hit {obj.hit_id}."):
        wake_dispatcher_on_commit()
        messages.success(request, _("The dead letter is queued again."))
    else:
        messages.warning(request, _("There is no dead letter left to replay."))
    return redirect(back_from(request, obj))


@page("view_hit", "change_integration", methods=("POST",))
def try_now(request: HttpRequest, scope: Scope, hit_id: UUID, pk: int) -> HttpResponse:
    """Make the hit's next attempt at this integration due now."""
    obj = seen(scope, hit_id)
    if QueuedDelivery.objects.filter(hit_id=obj.pk, integration=pk).hasten():
        wake_dispatcher_on_commit()
        messages.success(request, _("The retry is due now."))
    else:
        messages.warning(request, _("The delivery no longer waits for a retry."))
    return redirect(back_from(request, obj))
