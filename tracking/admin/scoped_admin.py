"""Admin pages that show only rows of the tokens within the user's scope."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest

from tracking.admin.base_admin import BaseAdmin
from tracking.models.access.scope import Scope


class ScopedAdmin(BaseAdmin):
    """`owner` is the lookup from a row to its token."""

    owner: ClassVar[str] = "token"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Scope.of(request.user).limit(super().get_queryset(request), self.owner)

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        """Remove the bulk delete: deleting previews the backlog, one object at a time. Django
        gives the location since 6.1."""
        location = {} if action_location is None else {"action_location": action_location}
        actions = super().get_actions(request, **location)
        actions.pop("delete_selected", None)
        return actions
