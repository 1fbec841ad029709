"""Configure where alerts are sent, and send a test message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tracking.admin.base_admin import link_to_docs
from tracking.admin.channel_form import form_for
from tracking.admin.confirm import ConfirmView
from tracking.admin.connection_test import ask_vendor
from tracking.admin.integration_form import CONFIG
from tracking.admin.object_page import PagesAdmin
from tracking.admin.show_secret import IssuingAdmin
from tracking.alerts.channels.registry import CHANNELS
from tracking.alerts.notify import send_test_message
from tracking.models import AlertChannel
from tracking.models.access.scope import Scope
from tracking.models.alerts.channel import ChannelKind
from tracking.presentation.admin_site import admin_site, frame
from tracking.presentation.pill import state_of_channel

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SUMMARIES: dict[str, StrOrPromise] = {
    ChannelKind.EMAIL: _("A mail to one or more addresses."),
    ChannelKind.SLACK: _("A message in a channel of Slack."),
    ChannelKind.WEBHOOK: _("A signed POST to an endpoint of yours."),
}


class TestMessageView(ConfirmView):
    title = _("Send a test message")
    explanation = _("A message that names itself a test is sent now, with the saved configuration.")

    def act(self, options: dict[str, Any]) -> HttpResponse:
        return self.show("verdict", verdict=ask_vendor(lambda: send_test_message(self.object)))


@admin.register(AlertChannel, site=admin_site())
class AlertChannelAdmin(PagesAdmin, IssuingAdmin):
    here = "alerts"
    add_title, change_title = _("Add alert channel"), _("Change alert channel")
    pages = {"test": TestMessageView}  # noqa: RUF012 (Django's own form)
    list_display = ("name", "kind", "state", "notified_at")
    change_form_template = "admin/hitstream/alertchannel/change_form.html"

    class Media:
        css = {"all": ("hitstream/admin.css",)}  # noqa: RUF012 (Django's own form)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A channel gets the alerts of every token, so only users who see all tokens may add
        one."""
        return super().has_add_permission(request) and Scope.of(request.user).is_all

    def has_change_permission(self, request: HttpRequest, obj: AlertChannel | None = None) -> bool:
        return super().has_change_permission(request, obj) and Scope.of(request.user).is_all

    def has_delete_permission(self, request: HttpRequest, obj: AlertChannel | None = None) -> bool:
        return super().has_delete_permission(request, obj) and Scope.of(request.user).is_all

    @admin.display(description=_("state"))
    def state(self, channel: AlertChannel) -> SafeString:
        return state_of_channel(channel)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if self.kind(request) in CHANNELS:
            return super().add_view(request, *args, **kwargs)
        context = {
            **frame(self.admin_site, request),
            "title": _("Choose an alert channel"),
            "kinds": [(kind, label, SUMMARIES[kind]) for kind, label in ChannelKind.choices],
            "opts": self.opts,
        }
        return TemplateResponse(request, "hitstream/kinds.html", context)

    def kind(self, request: HttpRequest, obj: AlertChannel | None = None) -> str:
        return obj.kind if obj else request.GET.get("kind", "")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return form_for(CHANNELS[self.kind(request, obj)])

    def get_fieldsets(self, request: HttpRequest, obj: AlertChannel | None = None) -> Any:
        form = self.get_form(request, obj)
        config = [name for name in form.base_fields if name.startswith(CONFIG)]
        url = form.channel.docs_url
        docs = link_to_docs(url) if url else ""
        label = ChannelKind(self.kind(request, obj)).label
        return [
            (None, {"fields": ("name", "enabled")}),
            (label, {"fields": config, "description": docs}),
        ]

    def save_model(self, request: HttpRequest, obj: AlertChannel, form: Any, change: bool) -> None:
        if not change:
            obj.kind = self.kind(request)
        obj.save()

    def row_context(self, request: HttpRequest, obj: AlertChannel) -> dict[str, Any]:
        return {"state": state_of_channel(obj)}
