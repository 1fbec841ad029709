"""Every revision of a token's configuration, read-only: who changed what, and the snapshot."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tracking.admin.filters import PresentFilter
from tracking.admin.json_column import written
from tracking.admin.read_only import ReadOnlyAdmin
from tracking.models import Revision
from tracking.models.explain.audit_log import revision_entries
from tracking.presentation.admin_site import admin_site


@admin.register(Revision, site=admin_site())
class RevisionAdmin(ReadOnlyAdmin):
    here = "audit"
    list_display = ("token", "number", "made_at", "made_by")
    list_filter = (("token", PresentFilter),)
    list_select_related = ("token",)
    ordering = ("-pk",)
    change_form_template = "admin/hitstream/revision/change_form.html"

    class Media:
        css = {"all": ("hitstream/admin.css",)}  # noqa: RUF012 (Django's own form)

    def row_context(self, request: HttpRequest, obj: Revision) -> dict[str, Any]:
        return shown(obj)


def shown(revision: Revision) -> dict[str, Any]:
    """Return what the page shows beside the revision itself."""
    (entry,) = revision_entries([revision])
    beside = Revision.objects.filter(token=revision.token_id)
    return {
        "entry": entry,
        "earlier": beside.filter(number=revision.number - 1).first(),
        "later": beside.filter(number=revision.number + 1).first(),
        "snapshot": written(revision.snapshot),
    }
