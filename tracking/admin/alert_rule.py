"""Configure which conditions open an alert."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from tracking.admin.alert_rule_form import (
    DURATIONS,
    SHAPES,
    AlertRuleForm,
    condition_of,
    fieldsets_of,
)
from tracking.admin.base_admin import BaseAdmin
from tracking.models import AlertRule, Integration, Token
from tracking.models.access.scope import Scope
from tracking.models.alerts.rule import AlertKind, AlertRuleQuerySet
from tracking.presentation.admin_site import admin_site, frame


@admin.register(AlertRule, site=admin_site())
class AlertRuleAdmin(BaseAdmin):
    here = "alerts"
    add_title, change_title = _("Add alert rule"), _("Change alert rule")
    list_display = ("kind", "token", "integration", "condition", "enabled")
    list_display_links = ("kind",)
    list_filter = ("kind", "enabled")
    list_select_related = ("token", "integration__token")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        rules: Any = super().get_queryset(request)
        seen: AlertRuleQuerySet = rules.seen(Scope.of(request.user))
        return seen

    def has_change_permission(self, request: HttpRequest, obj: AlertRule | None = None) -> bool:
        return super().has_change_permission(request, obj) and is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: AlertRule | None = None) -> bool:
        return super().has_delete_permission(request, obj) and is_theirs(request, obj)

    @admin.display(description=_("condition"))
    def condition(self, rule: AlertRule) -> str:
        return condition_of(rule)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if self.kind(request) in SHAPES:
            return super().add_view(request, *args, **kwargs)
        context = {
            **frame(self.admin_site, request),
            "title": _("Choose an alert"),
            "kinds": [(kind, label, SHAPES[kind].summary) for kind, label in AlertKind.choices],
            "opts": self.opts,
        }
        return TemplateResponse(request, "hitstream/kinds.html", context)

    def kind(self, request: HttpRequest, obj: AlertRule | None = None) -> str:
        return obj.kind if obj else request.GET.get("kind") or request.POST.get("kind", "")

    def get_fieldsets(self, request: HttpRequest, obj: AlertRule | None = None) -> Any:
        return fieldsets_of(self.kind(request, obj))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kind = "" if change else self.kind(request)
        found = {"kind": kind, "scope": Scope.of(request.user)}
        form = type("AlertRuleForm", (AlertRuleForm,), found)
        return super().get_form(request, obj, change, **{"form": form, **kwargs})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in DURATIONS:
            return DURATIONS[db_field.name]()
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field.widget, RelatedFieldWidgetWrapper):
            # A rule is no place to add a token or an integration.
            field.widget = field.widget.widget
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        scope = Scope.of(request.user)
        seen: dict[str, QuerySet[Any]] = {
            "token": scope.limit(Token.objects.all(), "pk"),
            # Its label names its token, too.
            "integration": scope.limit(Integration.objects.select_related("token")),
        }
        kwargs.setdefault("queryset", seen[db_field.name])
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(
            db_field, request, widget=forms.CheckboxSelectMultiple(), **kwargs
        )


def is_theirs(request: HttpRequest, rule: AlertRule | None) -> bool:
    """Return whether the user may change the rule: one about all tokens takes a user who sees them
    all."""
    return rule is None or not rule.is_of_all or Scope.of(request.user).is_all
