"""A token's integrations, on its page."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tracking.models import Integration, Token
from tracking.presentation.pill import state_of_integration


class IntegrationInline(admin.TabularInline):
    model = Integration
    fields = readonly_fields = ("name", "destination", "state")
    show_change_link = True
    can_delete = False
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Integration]:
        return super().get_queryset(request).filter(deleted_at=None)

    def has_add_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return False

    @admin.display
    def state(self, integration: Integration) -> SafeString:
        return state_of_integration(integration)
