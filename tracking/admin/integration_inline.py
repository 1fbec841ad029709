"""A token's integrations, on its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tracking.models import Integration, Token
from tracking.presentation.pill import state_of_integration

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: Integrations on the page of their token; the list of integrations has all.
SHOWN = 50


class FewIntegrations(BaseInlineFormSet):
    """The first integrations: a form for each of a thousand takes seconds."""

    def get_queryset(self) -> Any:
        if not hasattr(self, "_few"):
            self._few = super().get_queryset()[:SHOWN]
        return self._few


class IntegrationInline(admin.TabularInline):
    model = Integration
    formset = FewIntegrations
    template = "hitstream/token_integrations.html"
    verbose_name_plural: StrOrPromise = _("Integrations")
    fields = readonly_fields = ("name", "destination", "state")
    can_delete = False
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Integration]:
        return super().get_queryset(request).filter(deleted_at=None).select_related("token")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Return the formset. An inline is made for each request: its heading may depend on it."""
        count = getattr(obj, "count", 0)
        if count > SHOWN:
            self.verbose_name_plural = _("The first %(shown)s of %(count)s integrations") % {
                "shown": SHOWN,
                "count": f"{count:,}",
            }
        return super().get_formset(request, obj, **kwargs)

    def has_add_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return False

    @admin.display
    def state(self, integration: Integration) -> SafeString:
        return state_of_integration(integration)
