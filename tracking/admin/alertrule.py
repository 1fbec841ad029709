"""Configure what somebody is told of."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest

from tracking.models import AlertRule


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

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(
            db_field, request, widget=CheckboxSelectMultiple(), **kwargs
        )
