"""Every revision of a token's configuration, read-only."""

from __future__ import annotations

from django.contrib import admin

from tracking.admin.filters import PresentFilter
from tracking.admin.read_only import ReadOnlyAdmin
from tracking.models import Revision
from tracking.presentation.admin_site import admin_site


@admin.register(Revision, site=admin_site())
class RevisionAdmin(ReadOnlyAdmin):
    here = "audit"
    list_display = ("token", "number", "made_at", "made_by")
    list_filter = (("token", PresentFilter),)
    ordering = ("-pk",)
