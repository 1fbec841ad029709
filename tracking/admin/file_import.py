"""Imported files of hits, read-only."""

from __future__ import annotations

from django.contrib import admin

from tracking.admin.filters import PresentFilter
from tracking.admin.read_only import ReadOnlyAdmin
from tracking.models import FileImport
from tracking.presentation.admin_site import admin_site


@admin.register(FileImport, site=admin_site())
class ImportAdmin(ReadOnlyAdmin):
    list_display = (
        *("name", "token", "lines", "stored", "duplicate", "refused"),
        *("started_at", "finished_at"),
    )
    list_filter = (("token", PresentFilter),)
    list_select_related = ("token",)
    ordering = ("-id",)
