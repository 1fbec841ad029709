"""Configure integrations: the form is the destination's own declaration."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from tracking.admin.confirm import confirm
from tracking.admin.integrationform import CONFIG, IntegrationForm, form_for
from tracking.admin.issued import show_once
from tracking.admin.token import state_of_integration
from tracking.destinations import registry
from tracking.exceptions import SetupError
from tracking.models import Integration


class PauseForm(forms.Form):
    reason = forms.CharField(
        max_length=500, help_text="Shown to everybody who wonders why nothing arrives."
    )


@admin.register(Integration)
class IntegrationAdmin(admin.ModelAdmin):
    list_display = ("name", "token", "destination", "state", "created_at")
    list_filter = ("token", "destination", "enabled")
    list_select_related = ("token",)
    search_fields = ("name", "token__name")
    actions = ("resume_selected",)
    change_form_template = "admin/tracking/integration/change_form.html"
    state = admin.display(description="state")(staticmethod(state_of_integration))

    class Media:
        css = {"all": ("tracking/admin.css",)}  # noqa: RUF012 (Django's own form)

    def has_delete_permission(self, request: HttpRequest, obj: Integration | None = None) -> bool:
        """An integration is disabled, not deleted: what it owed and delivered stays on record."""
        return False

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if self.slug(request) in dict(registry.choices()):
            return super().add_view(request, *args, **kwargs)
        context = {
            **self.admin_site.each_context(request),
            "title": "Where shall the hits go?",
            "destinations": registry.choices(),
            "token": request.GET.get("token", ""),
            "opts": self.opts,
        }
        return TemplateResponse(request, "tracking/destinations.html", context)

    def slug(self, request: HttpRequest, obj: Integration | None = None) -> str:
        return obj.destination if obj else request.GET.get("destination", "")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        try:
            return form_for(registry.get(self.slug(request, obj)))
        except SetupError:
            # The destination's package is gone: the rest can still be seen and switched off.
            return form_for(None)

    def get_fieldsets(self, request: HttpRequest, obj: Integration | None = None) -> Any:
        form = self.get_form(request, obj)
        config = [name for name in form.base_fields if name.startswith(CONFIG)]
        label = form.destination.label if form.destination else self.slug(request, obj)
        return [
            (None, {"fields": ("token", "name", "enabled")}),
            (label, {"fields": config, "description": self.describe(form)}),
            (
                "What is sent, and how often it is tried",
                {"fields": ("event_names", "max_attempts")},
            ),
        ]

    def describe(self, form: type[IntegrationForm]) -> str:
        if form.destination is None:
            return "This destination is not installed."
        return f'Where to find these: <a href="{form.destination.docs_url}">its documentation</a>.'

    def save_model(self, request: HttpRequest, obj: Integration, form: Any, change: bool) -> None:
        if not change:
            obj.destination = self.slug(request)
        obj.save(by=request.user.get_username())

    def response_add(self, request: HttpRequest, obj: Integration, *args: Any) -> HttpResponse:
        return self.show_issued(request, obj) or super().response_add(request, obj, *args)

    def response_change(self, request: HttpRequest, obj: Integration) -> HttpResponse:
        return self.show_issued(request, obj) or super().response_change(request, obj)

    def show_issued(self, request: HttpRequest, obj: Integration) -> HttpResponse | None:
        if not obj.issued:
            return None
        secrets = [(name.replace("_", " "), value) for name, value in obj.issued.items()]
        return show_once(self, request, obj, title=f"{obj.name} is set up", secrets=secrets)

    @admin.action(description="Resume selected integrations", permissions=["change"])
    def resume_selected(self, request: HttpRequest, integrations: QuerySet[Integration]) -> None:
        for integration in integrations.exclude(paused_at=None):
            integration.resume(by=request.user.get_username())
            self.log_change(request, integration, "Resumed.")
        messages.success(request, "What was held back is due now.")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<path:pk>/pause/", wrap(self.pause), name="tracking_integration_pause"),
            path("<path:pk>/resume/", wrap(self.resume), name="tracking_integration_resume"),
        ]
        return own + super().get_urls()

    def pause(self, request: HttpRequest, pk: str) -> HttpResponse:
        def act(request: HttpRequest, obj: Integration, asked: dict[str, Any]) -> HttpResponse:
            obj.pause(reason=asked["reason"], by=request.user.get_username())
            self.log_change(request, obj, f"Paused: {asked['reason']}")
            return redirect(reverse("admin:tracking_integration_change", args=(obj.pk,)))

        return confirm(
            self,
            request,
            pk,
            title="Pause the integration",
            explanation="Hits go on being owed to it; nothing is sent until it is resumed.",
            act=act,
            form_class=PauseForm,
        )

    def resume(self, request: HttpRequest, pk: str) -> HttpResponse:
        def act(request: HttpRequest, obj: Integration, asked: dict[str, Any]) -> HttpResponse:
            obj.resume(by=request.user.get_username())
            self.log_change(request, obj, "Resumed.")
            return redirect(reverse("admin:tracking_integration_change", args=(obj.pk,)))

        return confirm(
            self,
            request,
            pk,
            title="Resume the integration",
            explanation="Everything that was held back is sent now.",
            act=act,
        )
