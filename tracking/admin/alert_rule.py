"""Configure which conditions open an alert."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tracking.admin.base_admin import BaseAdmin
from tracking.models import AlertRule, Integration, Token
from tracking.models.access.scope import Scope
from tracking.models.alerts.rule import AlertRuleQuerySet
from tracking.presentation.admin_site import admin_site


class AlertRuleForm(forms.ModelForm):
    #: The tokens to choose from.
    scope: ClassVar[Scope] = Scope(None)

    def clean(self) -> dict[str, Any]:
        """Refuse a rule about all tokens by a user who does not see all of them."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not (self.scope.is_all or cleaned.get("token") or cleaned.get("integration")):
            raise ValidationError(
                _(
                    "Choose a token or an integration: only users who see all tokens can make a "
                    "rule for all."
                )
            )
        return cleaned


@admin.register(AlertRule, site=admin_site())
class AlertRuleAdmin(BaseAdmin):
    here = "alerts"
    add_title, change_title = _("Add alert rule"), _("Change alert rule")
    list_display = ("kind", "token", "integration", "threshold", "minutes", "calm", "enabled")
    list_display_links = ("kind",)
    list_filter = ("kind", "enabled")
    list_select_related = ("token", "integration__token")
    fieldsets = (
        (None, {"fields": ("kind", "enabled")}),
        (_("Scope"), {"fields": ("token", "integration")}),
        (_("Condition"), {"fields": ("threshold", "minutes", "calm")}),
        (_("Notifications"), {"fields": ("channels",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        rules: Any = super().get_queryset(request)
        seen: AlertRuleQuerySet = rules.seen(Scope.of(request.user))
        return seen

    def has_change_permission(self, request: HttpRequest, obj: AlertRule | None = None) -> bool:
        return super().has_change_permission(request, obj) and is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: AlertRule | None = None) -> bool:
        return super().has_delete_permission(request, obj) and is_theirs(request, obj)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = type("AlertRuleForm", (AlertRuleForm,), {"scope": Scope.of(request.user)})
        return super().get_form(request, obj, change, **{"form": form, **kwargs})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        scope = Scope.of(request.user)
        seen: dict[str, QuerySet[Any]] = {
            "token": scope.limit(Token.objects.all(), "pk"),
            # Its label names its token, too.
            "integration": scope.limit(Integration.objects.select_related("token")),
        }
        kwargs.setdefault("queryset", seen[db_field.name])
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(
            db_field, request, widget=forms.CheckboxSelectMultiple(), **kwargs
        )


def is_theirs(request: HttpRequest, rule: AlertRule | None) -> bool:
    """Return whether the user may change the rule: one about all tokens takes a user who sees them
    all."""
    return rule is None or not rule.is_of_all or Scope.of(request.user).is_all
