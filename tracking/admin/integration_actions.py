"""The verbs on an integration's page: each says what it will do, and does it when confirmed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from tracking.admin.action_forms import (
    BackfillFilters,
    PauseForm,
    RateForm,
    ReplayFilters,
    ResumeForm,
)
from tracking.admin.confirm import confirm
from tracking.models import Integration, Operation
from tracking.models.deliveries.criteria import Criteria
from tracking.models.operations import backlog
from tracking.models.operations.backfill import Backfill
from tracking.models.operations.base import BatchOperation
from tracking.models.operations.cancel import Cancel
from tracking.models.operations.delete import delete_integration
from tracking.models.operations.preview import Preview
from tracking.models.operations.replay import Replay
from tracking.wakeup import wake_dispatcher_on_commit

View = Callable[[admin.ModelAdmin, HttpRequest, str], HttpResponse]


def queued(integration: Integration, filters: dict[str, Any]) -> Preview:
    return backlog.preview(integration)


def pause(site: admin.ModelAdmin, request: HttpRequest, pk: str) -> HttpResponse:
    def act(request: HttpRequest, obj: Integration, asked: dict[str, Any]) -> HttpResponse:
        obj.pause(reason=asked["reason"], by=request.user.get_username())
        site.log_change(request, obj, f"Paused: {asked['reason']}")
        return redirect("admin:hitstream_integration_change", obj.pk)

    return confirm(
        site,
        request,
        pk,
        title="Pause the integration",
        explanation="Hits go on being queued to it; nothing is sent until it is resumed.",
        act=act,
        form_class=PauseForm,
        foresee=queued,
        counted="Hits held back so far",
    )


def resume(site: admin.ModelAdmin, request: HttpRequest, pk: str) -> HttpResponse:
    def act(request: HttpRequest, obj: Integration, asked: dict[str, Any]) -> HttpResponse:
        obj.resume(by=request.user.get_username(), rate_limit=asked["rate_limit"])
        wake_dispatcher_on_commit()
        site.log_change(request, obj, "Resumed.")
        return redirect("admin:hitstream_integration_change", obj.pk)

    return confirm(
        site,
        request,
        pk,
        title="Resume the integration",
        explanation="Everything that was held back is sent now.",
        act=act,
        form_class=ResumeForm,
        foresee=queued,
        counted="Hits to send",
    )


def drain(site: admin.ModelAdmin, request: HttpRequest, pk: str) -> HttpResponse:
    def act(request: HttpRequest, obj: Integration, asked: dict[str, Any]) -> HttpResponse:
        obj.drain(by=request.user.get_username())
        wake_dispatcher_on_commit()
        site.log_change(request, obj, "Drained.")
        return redirect("admin:hitstream_integration_change", obj.pk)

    return confirm(
        site,
        request,
        pk,
        title="Drain the integration",
        explanation="New hits are not queued; what is queued is still sent. Enabling it again "
        "ends that.",
        act=act,
        foresee=queued,
        counted="Hits still to be sent",
    )


def operate(
    operation_class: type[BatchOperation],
    site: admin.ModelAdmin,
    request: HttpRequest,
    pk: str,
    **page: Any,
) -> HttpResponse:
    """The page of a operation_class that becomes an operation."""

    def foresee(obj: Integration, filters: dict[str, Any]) -> Preview:
        return operation_class(obj, Criteria(**filters)).preview()

    def act(request: HttpRequest, obj: Integration, asked: dict[str, Any]) -> HttpResponse:
        rate = asked.pop("rate")
        wanted = operation_class(obj, Criteria(**asked))
        by = request.user.get_username()
        operation = Operation.objects.request(wanted, by=by, rate=rate)
        wake_dispatcher_on_commit()
        site.log_change(
            request, obj, f"{operation_class.name.capitalize()} {wanted.criteria}".strip()
        )
        return redirect("admin:hitstream_operation_change", operation.pk)

    return confirm(
        site,
        request,
        pk,
        act=act,
        foresee=foresee,
        counted=operation_class.counted,
        form_class=RateForm,
        **page,
    )


def replay(site: admin.ModelAdmin, request: HttpRequest, pk: str) -> HttpResponse:
    return operate(
        Replay,
        site,
        request,
        pk,
        title="Replay dead letters",
        explanation="They are due at once, and may be tried as often as new ones.",
        filters_class=ReplayFilters,
        permission="change_deadletter",
    )


def backfill(site: admin.ModelAdmin, request: HttpRequest, pk: str) -> HttpResponse:
    return operate(
        Backfill,
        site,
        request,
        pk,
        title="Backfill past hits",
        explanation="Hits of its token are queued to it that it wants as it is configured now and "
        "has no record of.",
        filters_class=BackfillFilters,
    )


def delete(site: admin.ModelAdmin, request: HttpRequest, pk: str) -> HttpResponse:
    def act(request: HttpRequest, obj: Integration, asked: dict[str, Any]) -> HttpResponse:
        by = request.user.get_username()
        operation = delete_integration(obj, by=by, rate=asked["rate"])
        wake_dispatcher_on_commit()
        site.log_change(request, obj, "Deleted.")
        messages.success(request, f"{obj.name} is deleted. What it was queued is being cancelled.")
        return redirect("admin:hitstream_operation_change", operation.pk)

    return confirm(
        site,
        request,
        pk,
        title="Delete the integration",
        explanation="What it is queued is cancelled; hits, dead letters and everything on record "
        "stay. It cannot be undone.",
        act=act,
        form_class=RateForm,
        foresee=queued,
        counted=Cancel.counted,
        permission="delete_integration",
    )


VERBS: dict[str, View] = {
    "pause": pause,
    "resume": resume,
    "drain": drain,
    "replay": replay,
    "backfill": backfill,
}


def urls(site: admin.ModelAdmin) -> list[URLPattern]:
    return [
        path(
            f"<path:pk>/{name}/",
            site.admin_site.admin_view(partial(view, site)),
            name=f"hitstream_integration_{name}",
        )
        for name, view in VERBS.items()
    ]
