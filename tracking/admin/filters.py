"""Filters of lists by existing rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tracking.models import Token
from tracking.models.access.scope import Scope


class PresentFilter(admin.RelatedFieldListFilter):
    """A filter by token or integration, without the deleted ones and those outside the user's
    scope."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[str, Any]]:
        rows = field.related_model._default_manager.filter(deleted_at=None)
        if field.related_model is Token:
            seen = Scope.of(request.user).limit(rows, "pk")
        else:
            # Its label names its token, too.
            seen = Scope.of(request.user).limit(rows).select_related("token")
        ordering = self.field_admin_ordering(field, request, model_admin)
        ordered = seen.order_by(*ordering) if ordering else seen
        return [(row.pk, str(row)) for row in ordered]
