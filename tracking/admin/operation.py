"""Operations: their progress, and the buttons to stop and resume them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tracking.admin.filters import PresentFilter
from tracking.admin.object_page import ObjectPage, PagesAdmin
from tracking.admin.operation_links import log_links
from tracking.admin.read_only import ReadOnlyAdmin
from tracking.models import Operation
from tracking.presentation.admin_site import admin_site, admin_url
from tracking.presentation.pill import state_of_operation
from tracking.wakeup import wake_dispatcher_on_commit

#: To stop or resume an operation takes the permission to start it.
PERMISSIONS = {"replay": "hitstream.change_deadletter", "delete": "hitstream.delete_integration"}


class SteerView(ObjectPage):
    """A button of the operation's page. It takes POST only."""

    def is_allowed(self) -> bool:
        return self.request.method == "POST" and may_steer(self.request, self.object)

    def post(self, request: HttpRequest, pk: str) -> HttpResponse:
        message = self.act()
        wake_dispatcher_on_commit()
        self.site.log_change(request, self.object, message)
        return redirect(admin_url("hitstream_operation_change", self.object.pk))

    def act(self) -> str:
        """Steer the operation, and return the text for the log."""
        raise NotImplementedError


class StopView(SteerView):
    def act(self) -> str:
        self.object.stop(self.request.user.get_username())
        return "Stopped."


class GoOnView(SteerView):
    def act(self) -> str:
        self.object.go_on()
        return "Resumed."


@admin.register(Operation, site=admin_site())
class OperationAdmin(ReadOnlyAdmin, PagesAdmin):
    here = "operations"
    pages = {"stop": StopView, "go-on": GoOnView}  # noqa: RUF012 (Django's own form)
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
        """Allow users who may start operations, too, so that they can follow them."""
        permissions = ("hitstream.change_integration", *PERMISSIONS.values())
        return super().has_view_permission(request, obj) or any(
            map(request.user.has_perm, permissions)
        )

    @admin.display(description=_("state"))
    def state_shown(self, operation: Operation) -> SafeString:
        return state_of_operation(operation)

    @admin.display(description=_("done"))
    def progress(self, operation: Operation) -> str:
        return _("%(done)s of %(total)s") % {
            "done": f"{operation.done:,}",
            "total": f"{operation.total:,}",
        }

    def row_context(self, request: HttpRequest, obj: Operation) -> dict[str, Any]:
        return {
            "state": state_of_operation(obj),
            "may_steer": may_steer(request, obj),
            "links": log_links(request, obj),
        }


def may_steer(request: HttpRequest, operation: Operation) -> bool:
    permission = PERMISSIONS.get(operation.kind, "hitstream.change_integration")
    return bool(request.user.has_perm(permission))
