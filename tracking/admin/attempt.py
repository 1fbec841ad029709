"""Requests to vendors, read-only."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from tracking.admin.filters import PresentFilter
from tracking.admin.read_only import ReadOnlyAdmin
from tracking.models import Attempt
from tracking.presentation.admin_site import admin_site


@admin.register(Attempt, site=admin_site())
class AttemptAdmin(ReadOnlyAdmin):
    here = "integrations"
    owner = "integration__token"
    list_display = ("made_at", "integration", "hits", "status", "code", "message", "milliseconds")
    list_filter = (("integration", PresentFilter),)
    list_select_related = ("integration__token",)
    ordering = ("-id",)
    # The integration's.
    exclude = ("token_id", "duration")
    readonly_fields = ("milliseconds",)

    @admin.display(description=_("ms"))
    def milliseconds(self, attempt: Attempt) -> int:
        return round(attempt.duration * 1000)
