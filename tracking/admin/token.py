"""Issue, rotate and revoke API tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tracking.admin import token_actions
from tracking.admin.integration_inline import IntegrationInline
from tracking.admin.ledger import TokenLedgerView
from tracking.admin.object_page import PagesAdmin
from tracking.admin.scoped_admin import ScopedAdmin
from tracking.admin.show_secret import show_token
from tracking.admin.time_column import with_time_columns
from tracking.admin.token_form import TokenForm
from tracking.models import Token
from tracking.models.ledger.ingest_stats import ingest_volume
from tracking.models.tokens.api_token import ApiToken
from tracking.models.tokens.token import CONFIGURED
from tracking.presentation.admin_site import admin_site, admin_url
from tracking.presentation.copyable import copyable
from tracking.presentation.pill import pill
from tracking.presentation.snippets import snippets

FACTS = with_time_columns(
    Token,
    (
        *("state", "prefix_shown", "project_id", "first_party", "last_used_at", "created_at"),
        "changes",
    ),
)


@admin.register(Token, site=admin_site())
class TokenAdmin(ScopedAdmin, PagesAdmin):
    here = "tokens"
    add_title, change_title = _("Add token"), _("Change token")
    owner = "pk"
    pages = {  # noqa: RUF012 (Django's own form)
        "rotate": token_actions.RotateView,
        "revoke": token_actions.RevokeView,
        "ledger": TokenLedgerView,
    }
    list_display = (
        "name",
        "prefix_shown",
        "state",
        "integration_count",
        "last_used_at",
        "created_at",
    )
    search_fields = ("name", "prefix")
    fields = CONFIGURED
    form = TokenForm
    inlines = (IntegrationInline,)
    change_form_template = "admin/hitstream/token/change_form.html"

    class Media:
        css = {"all": ("hitstream/admin.css",)}  # noqa: RUF012 (Django's own form)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        tokens: QuerySet[Token] = super().get_queryset(request).filter(deleted_at=None)
        return tokens.annotate(count=Count("integrations", filter=Q(integrations__deleted_at=None)))

    def get_fieldsets(self, request: HttpRequest, obj: Token | None = None) -> Any:
        editable = (None, {"fields": self.fields})
        return [editable, (_("Facts"), {"fields": FACTS})] if obj else [editable]

    def get_inlines(self, request: HttpRequest, obj: Token | None) -> Any:
        return self.inlines if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Token | None = None) -> Any:
        return FACTS

    @admin.display(description=_("API token"), ordering="prefix")
    def prefix_shown(self, token: Token) -> str:
        retiring = token.retiring_until and token.retiring_until > timezone.now()
        if retiring and token.is_usable:
            until = timezone.localtime(token.retiring_until)
            return _("%(prefix)s…, and %(retiring)s… until %(time)s") % {
                "prefix": token.prefix,
                "retiring": token.retiring_prefix,
                "time": f"{until:%Y-%m-%d %H:%M %Z}",
            }
        return copyable(token.prefix, f"{token.prefix}…")

    @admin.display(description=_("first-party path"))
    def first_party(self, token: Token) -> str:
        try:
            return reverse("hitstream:first-party", args=(token.path,))
        except NoReverseMatch:
            return token.path

    @admin.display(description=_("state"))
    def state(self, token: Token) -> SafeString:
        if token.revoked_at:
            return pill("bad", str(_("revoked")))
        if not token.enabled:
            return pill("off", str(_("disabled")))
        return pill("good", str(_("usable"))) if token.is_usable else pill("bad", str(_("expired")))

    @admin.display(description=_("integrations"), ordering="count")
    def integration_count(self, token: Token) -> int:
        return getattr(token, "count", 0)

    @admin.display(description=_("changes"))
    def changes(self, token: Token) -> SafeString:
        url = admin_url("hitstream_revision_changelist")
        return format_html(
            '<a href="{}?token__id__exact={}">{}</a>',
            url,
            token.pk,
            _("revision %(number)s") % {"number": token.revision},
        )

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        if not change:
            obj.secret = ApiToken.generate()  # type: ignore[attr-defined]
            obj.prefix, obj.digest = obj.secret.prefix, obj.secret.digest  # type: ignore[attr-defined]
        obj.save(by=request.user.get_username())

    def response_add(self, request: HttpRequest, obj: Token, *args: Any) -> HttpResponse:
        return show_token(self, request, obj, obj.secret)  # type: ignore[attr-defined]

    def row_context(self, request: HttpRequest, obj: Token) -> dict[str, Any]:
        day = timezone.now() - timedelta(days=1)
        return {
            "snippets": snippets(request, obj),
            "state": self.state(obj),
            "volume": ingest_volume(day, [obj.pk]).total,
        }

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        return token_actions.DeleteTokenView.as_view(site=self)(request, pk=object_id)
