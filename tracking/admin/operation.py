"""What operators asked for: how far it got, and the buttons to stop it and to go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tracking.admin.filters import PresentFilter
from tracking.admin.read_only import ReadOnlyAdmin
from tracking.models import Operation
from tracking.models.operations.operation import OperationState
from tracking.presentation.pill import pill
from tracking.wakeup import wake_dispatcher_on_commit

COLOURS = {
    OperationState.WAITING: "off",
    OperationState.RUNNING: "paused",
    OperationState.STOPPED: "off",
    OperationState.FINISHED: "good",
    OperationState.FAILED: "bad",
}
#: Who may stop a verb is who may ask for it.
PERMISSIONS = {"replay": "hitstream.change_deadletter", "delete": "hitstream.delete_integration"}


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    owner = "integration__token"
    list_display = (
        "requested_at",
        "kind",
        "integration",
        "state_shown",
        "progress",
        "requested_by",
    )
    list_filter = ("kind", "state", ("integration", PresentFilter))
    list_select_related = ("integration__token",)
    ordering = ("-id",)
    change_form_template = "admin/hitstream/operation/change_form.html"

    class Media:
        css = {"all": ("hitstream/admin.css",)}  # noqa: RUF012 (Django's own form)

    def has_view_permission(self, request: HttpRequest, obj: Operation | None = None) -> bool:
        """Also who may ask for one, so that they see what becomes of it."""
        asking = ("hitstream.change_integration", *PERMISSIONS.values())
        return super().has_view_permission(request, obj) or any(map(request.user.has_perm, asking))

    @admin.display(description="state")
    def state_shown(self, operation: Operation) -> SafeString:
        state = OperationState(operation.state)
        return pill(COLOURS[state], state.label.lower(), operation.message)

    @admin.display(description="done")
    def progress(self, operation: Operation) -> SafeString:
        return format_html("{} of {}", f"{operation.done:,}", f"{operation.total:,}")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        operation = self.get_object(request, object_id)
        context = extra_context or {}
        if operation is not None:
            context["colour"] = COLOURS[OperationState(operation.state)]
            context["may_steer"] = may_steer(request, operation)
        return super().change_view(request, object_id, form_url, context)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<path:pk>/stop/", wrap(self.stop), name="hitstream_operation_stop"),
            path("<path:pk>/go-on/", wrap(self.go_on), name="hitstream_operation_go_on"),
        ]
        return own + super().get_urls()

    def stop(self, request: HttpRequest, pk: str) -> HttpResponse:
        by = request.user.get_username()
        return self.steer(request, pk, lambda operation: operation.stop(by), "Stopped.")

    def go_on(self, request: HttpRequest, pk: str) -> HttpResponse:
        return self.steer(request, pk, Operation.go_on, "Went on.")

    def steer(
        self, request: HttpRequest, pk: str, act: Callable[[Operation], object], said: str
    ) -> HttpResponse:
        operation = self.get_object(request, pk)
        if operation is None:
            raise Http404
        if request.method != "POST" or not may_steer(request, operation):
            raise PermissionDenied
        act(operation)
        wake_dispatcher_on_commit()
        self.log_change(request, operation, said)
        return redirect("admin:hitstream_operation_change", operation.pk)


def may_steer(request: HttpRequest, operation: Operation) -> bool:
    permission = PERMISSIONS.get(operation.kind, "hitstream.change_integration")
    return bool(request.user.has_perm(permission))
