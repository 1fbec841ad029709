"""Admin pages show what belongs to the tokens that somebody may see, and nothing else."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from tracking.models.access.scope import Scope


class ScopedAdmin(admin.ModelAdmin):
    """`owner` leads from a row to its token."""

    owner: ClassVar[str] = "token"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Scope.of(request.user).limit(super().get_queryset(request), self.owner)
