"""Configure integrations: the destination declares the fields of the form."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from tracking.admin import integration_actions
from tracking.admin.base_admin import link_to_docs
from tracking.admin.connection_test import ConnectionTestView
from tracking.admin.filters import PresentFilter
from tracking.admin.integration_choice import destination_groups, ready_name
from tracking.admin.integration_done import DoneView, done
from tracking.admin.integration_fieldsets import fieldsets
from tracking.admin.integration_form import IntegrationForm, form_for
from tracking.admin.integration_trial import Trial, is_trial, try_out, wants_part
from tracking.admin.ledger import IntegrationLedgerView
from tracking.admin.mapping_preview import MappingPreview
from tracking.admin.object_page import PagesAdmin
from tracking.admin.scoped_admin import ScopedAdmin
from tracking.admin.show_secret import IssuingAdmin, secrets_of, show_once
from tracking.destinations.contract import registry
from tracking.exceptions import SetupError
from tracking.ingest.demo.demo import tokens_without_demo
from tracking.models import Integration, Token
from tracking.models.access.scope import Scope
from tracking.models.operations import backlog
from tracking.models.operations.resume import resume
from tracking.presentation.admin_site import admin_site, admin_url, frame
from tracking.presentation.markdown import render
from tracking.presentation.pill import pause_of, state_of_integration
from tracking.presentation.row_id import row_id
from tracking.wakeup import wake_dispatcher_on_commit


@admin.register(Integration, site=admin_site())
class IntegrationAdmin(ScopedAdmin, PagesAdmin, IssuingAdmin):
    here = "integrations"
    add_title, change_title = _("Add integration"), _("Change integration")
    pages = {  # noqa: RUF012 (Django's own form)
        "pause": integration_actions.PauseView,
        "resume": integration_actions.ResumeView,
        "drain": integration_actions.DrainView,
        "retry-now": integration_actions.RetryNowView,
        "replay": integration_actions.ReplayView,
        "backfill": integration_actions.BackfillView,
        "ledger": IntegrationLedgerView,
        "verify": ConnectionTestView,
        "mapping": MappingPreview,
        "done": DoneView,
    }
    list_display = ("name", "token", "destination", "state", "created_at")
    list_filter = (("token", PresentFilter), "destination", "enabled")
    list_select_related = ("token",)
    search_fields = ("name", "token__name")
    actions = ("resume_selected",)
    change_form_template = "admin/hitstream/integration/change_form.html"
    state = admin.display(description=_("state"))(staticmethod(state_of_integration))

    class Media:
        css = {"all": ("hitstream/admin.css", "hitstream/setup.css")}  # noqa: RUF012 (Django's own form)
        js = (
            Script("hitstream/mapping.js", defer=True),
            Script("hitstream/setup.js", defer=True),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Integration]:
        present: QuerySet[Integration] = super().get_queryset(request).filter(deleted_at=None)
        return present

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if self.slug(request) in dict(registry.choices()):
            return super().add_view(request, *args, **kwargs)
        words = request.GET.get("q", "").strip()
        context = {
            **frame(self.admin_site, request),
            "title": _("Choose a destination"),
            "groups": destination_groups(words),
            "words": words,
            "token": request.GET.get("token", ""),
            "opts": self.opts,
        }
        return TemplateResponse(request, "hitstream/destinations.html", context)

    def slug(self, request: HttpRequest, obj: Integration | None = None) -> str:
        return obj.destination if obj else request.GET.get("destination", "")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return the token, if there is only one to choose, and a name that is not taken."""
        scope = Scope.of(request.user)
        tokens = scope.limit(Token.objects.present(), "pk")
        only = list(scope.limit(tokens_without_demo(), "pk").values_list("pk", flat=True)[:2])
        chosen = row_id(request.GET.get("token", "")) or (only[0] if len(only) == 1 else None)
        taken = Integration.objects.present().filter(token__in=[chosen] if chosen else tokens)
        label = registry.get_destination(self.slug(request)).label
        name = ready_name(label, taken.values_list("name", flat=True))
        return {"token": chosen, "name": name}

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        scope, trial = Scope.of(request.user), is_trial(request)
        try:
            destination = registry.get_destination(self.slug(request, obj))
        except SetupError:
            # The destination's package is gone: the other fields can still be viewed, and the
            # integration disabled.
            return form_for(None, scope, is_trial=trial)
        return form_for(destination, scope, is_trial=trial)

    def get_fieldsets(self, request: HttpRequest, obj: Integration | None = None) -> Any:
        form = self.get_form(request, obj)
        return fieldsets(
            form,
            obj,
            label=form.destination.label if form.destination else self.slug(request, obj),
            description=self.describe(form),
            is_shown_only=obj is not None and not self.has_change_permission(request, obj),
        )

    def describe(self, form: type[IntegrationForm]) -> str:
        """Return the link to the vendor's documentation, and the folded notes for operators."""
        if form.destination is None:
            return str(_("This destination is not installed."))
        link = link_to_docs(form.destination.docs_url)
        notes = render(form.destination.notes())
        folded = format_html(
            '<details class="hs-notes"><summary>{}</summary>{}</details>',
            _("Notes on %(destination)s") % {"destination": form.destination.label},
            notes,
        )
        return link + folded if notes else link

    def save_model(self, request: HttpRequest, obj: Integration, form: Any, change: bool) -> None:
        if not change:
            obj.destination = self.slug(request)
        obj.save(by=request.user.get_username())
        wake_dispatcher_on_commit()

    def response_add(self, request: HttpRequest, obj: Integration, *args: Any) -> HttpResponse:
        if not obj.issued:
            return redirect(admin_url("hitstream_integration_done", obj.pk))
        context = {**done(obj), "secrets": secrets_of(obj)}
        return show_once(self, request, obj, template="integration_done", **context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = {
            **(extra_context or {}),
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
        }
        if is_trial(request):
            obj = self.get_object(request, object_id) if object_id else None
            trial = self.try_out(request, obj)
            if wants_part(request):
                part = {"trial": trial, "is_part": True}
                return TemplateResponse(request, "hitstream/trial.html", part)
            context["trial"] = trial
        return super().changeform_view(request, object_id, form_url, context)

    def try_out(self, request: HttpRequest, obj: Integration | None) -> Trial:
        """Return the result of the typed values. Raises PermissionDenied for users who may not
        save them."""
        is_allowed = (
            self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        )
        form = self.get_form(request, obj)
        if not is_allowed or form.destination is None:
            raise PermissionDenied
        return try_out(form(request.POST, request.FILES, instance=obj), self.slug(request, obj))

    @admin.action(description=_("Resume selected integrations"), permissions=["change"])
    def resume_selected(self, request: HttpRequest, integrations: QuerySet[Integration]) -> None:
        for integration in integrations.exclude(paused_at=None):
            resume(integration, by=request.user.get_username())
            self.log_change(request, integration, "Resumed.")
        wake_dispatcher_on_commit()
        messages.success(
            request, _("The selected integrations are resumed: their queued hits are due now.")
        )

    def row_context(self, request: HttpRequest, obj: Integration) -> dict[str, Any]:
        return status_of(obj)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        view = integration_actions.DeleteIntegrationView.as_view(site=self)
        return view(request, pk=object_id)


def status_of(integration: Integration) -> dict[str, Any]:
    """Return the state of the integration, for the page of its form."""
    return {
        "backlog": backlog.backlog(integration),
        "state": state_of_integration(integration),
        "pause": pause_of(integration),
    }
