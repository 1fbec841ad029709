"""Filters of lists by what is there to choose from."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tracking.models import Token
from tracking.models.scope import Scope


class PresentFilter(admin.RelatedFieldListFilter):
    """By token or integration, without the deleted ones and those that are not seen."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[str, Any]]:
        ordering = self.field_admin_ordering(field, request, model_admin)
        seen = Scope.of(request.user).token_ids
        own = "pk" if field.related_model is Token else "token"
        limits = {} if seen is None else {f"{own}__in": sorted(seen)}
        choices: list[tuple[str, Any]] = field.get_choices(
            include_blank=False,
            ordering=ordering,
            limit_choices_to={"deleted_at": None, **limits},
        )
        return choices
