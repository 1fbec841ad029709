"""Every revision of a token's configuration, read-only."""

from __future__ import annotations

from django.contrib import admin

from tracking.admin.filters import PresentFilter
from tracking.admin.read_only import ReadOnlyAdmin
from tracking.models import Revision


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    list_display = ("token", "number", "made_at", "made_by")
    list_filter = (("token", PresentFilter),)
    ordering = ("-pk",)
