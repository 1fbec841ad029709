"""Configure what somebody is told of."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest

from tracking.models import AlertRule
from tracking.models.scope import Scope


@admin.register(AlertRule)
class AlertRuleAdmin(admin.ModelAdmin):
    list_display = ("kind", "token", "integration", "threshold", "minutes", "calm", "enabled")
    list_display_links = ("kind",)
    list_filter = ("kind", "enabled")
    list_select_related = ("token", "integration__token")
    fieldsets = (
        (None, {"fields": ("kind", "enabled")}),
        ("Of what", {"fields": ("token", "integration")}),
        ("When", {"fields": ("threshold", "minutes", "calm")}),
        ("Who is told", {"fields": ("channels",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        """Those that are about nobody in particular, or about a token that is seen."""
        found, scope = super().get_queryset(request), Scope.of(request.user)
        if scope.is_all:
            return found
        seen = sorted(scope.token_ids or ())
        of_token = Q(token=None) | Q(token__in=seen)
        return found.filter(of_token, Q(integration=None) | Q(integration__token__in=seen))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """What is not seen cannot be chosen."""
        owner = "pk" if db_field.name == "token" else "token"
        offered = db_field.remote_field.model.objects.all()
        kwargs["queryset"] = Scope.of(request.user).limit(offered, owner)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(
            db_field, request, widget=CheckboxSelectMultiple(), **kwargs
        )
