"""Imported files of hits, read-only: how far each is, and what became of its lines."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tracking.admin.filters import PresentFilter
from tracking.admin.read_only import ReadOnlyAdmin
from tracking.models import FileImport
from tracking.presentation.admin_site import admin_site
from tracking.presentation.pill import state_of_import


@admin.register(FileImport, site=admin_site())
class ImportAdmin(ReadOnlyAdmin):
    list_display = (
        *("name", "token", "state", "lines", "stored", "duplicate", "refused"),
        *("started_at", "finished_at"),
    )
    list_filter = (("token", PresentFilter),)
    list_select_related = ("token",)
    ordering = ("-id",)
    change_form_template = "admin/hitstream/fileimport/change_form.html"

    class Media:
        css = {"all": ("hitstream/admin.css",)}  # noqa: RUF012 (Django's own form)

    @admin.display(description=_("state"))
    def state(self, imported: FileImport) -> SafeString:
        return state_of_import(imported)

    def row_context(self, request: HttpRequest, obj: FileImport) -> dict[str, Any]:
        return shown(obj)


def shown(imported: FileImport) -> dict[str, Any]:
    """Return what the page shows beside the import itself; `took` is in seconds."""
    ended = imported.finished_at
    took = (ended - imported.started_at).total_seconds() if ended else None
    return {
        "state": state_of_import(imported),
        "empty": imported.lines - imported.stored - imported.duplicate - imported.refused,
        "took": took,
        "pace": imported.lines / took if took else None,
    }
