"""Issue, rotate and revoke API tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tracking.admin.confirm import confirm
from tracking.admin.inline import IntegrationInline
from tracking.admin.issued import show_token
from tracking.admin.ledger import token_ledger
from tracking.admin.pill import pill
from tracking.admin.tokenform import RotateForm, TokenForm
from tracking.admin.verbforms import RateForm
from tracking.admin.verbs import ring_on_commit
from tracking.models import Token, backlog
from tracking.models.cancel import Cancel
from tracking.models.deletion import delete_token
from tracking.models.token import CONFIGURED, Secret

FACTS = (
    *("state", "prefix_shown", "project_id", "first_party", "last_used_at", "created_at"),
    "changes",
)


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):
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
    change_form_template = "admin/tracking/token/change_form.html"

    class Media:
        css = {"all": ("tracking/admin.css",)}  # noqa: RUF012 (Django's own form)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        tokens: QuerySet[Token] = super().get_queryset(request).filter(deleted_at=None)
        return tokens.annotate(count=Count("integrations", filter=Q(integrations__deleted_at=None)))

    def get_fieldsets(self, request: HttpRequest, obj: Token | None = None) -> Any:
        editable = (None, {"fields": self.fields})
        return [editable, ("What it is", {"fields": FACTS})] if obj else [editable]

    def get_inlines(self, request: HttpRequest, obj: Token | None) -> Any:
        return self.inlines if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Token | None = None) -> Any:
        return FACTS

    @admin.display(description="API token", ordering="prefix")
    def prefix_shown(self, token: Token) -> str:
        retiring = token.retiring_until and token.retiring_until > timezone.now()
        if retiring and token.is_usable:
            until = timezone.localtime(token.retiring_until)
            return f"{token.prefix}…, and {token.retiring_prefix}… until {until:%Y-%m-%d %H:%M %Z}"
        return f"{token.prefix}…"

    @admin.display(description="first-party path")
    def first_party(self, token: Token) -> str:
        try:
            return reverse("tracking:first-party", args=(token.path,))
        except NoReverseMatch:
            return token.path

    @admin.display
    def state(self, token: Token) -> SafeString:
        if token.revoked_at:
            return pill("bad", "revoked")
        if not token.enabled:
            return pill("off", "disabled")
        return pill("good", "usable") if token.is_usable else pill("bad", "expired")

    @admin.display(description="integrations", ordering="count")
    def integration_count(self, token: Token) -> int:
        return getattr(token, "count", 0)

    @admin.display
    def changes(self, token: Token) -> SafeString:
        url = reverse("admin:tracking_revision_changelist")
        return format_html(
            '<a href="{}?token__id__exact={}">revision {}</a>', url, token.pk, token.revision
        )

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        if not change:
            obj.secret = Secret.generate()  # type: ignore[attr-defined]
            obj.prefix, obj.digest = obj.secret.prefix, obj.secret.digest  # type: ignore[attr-defined]
        obj.save(by=request.user.get_username())

    def response_add(self, request: HttpRequest, obj: Token, *args: Any) -> HttpResponse:
        return show_token(self, request, obj, obj.secret)  # type: ignore[attr-defined]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<path:pk>/rotate/", wrap(self.rotate), name="tracking_token_rotate"),
            path("<path:pk>/revoke/", wrap(self.revoke), name="tracking_token_revoke"),
            path(
                "<path:pk>/ledger/", wrap(partial(token_ledger, self)), name="tracking_token_ledger"
            ),
        ]
        return own + super().get_urls()

    def rotate(self, request: HttpRequest, pk: str) -> HttpResponse:
        def act(request: HttpRequest, token: Token, asked: dict[str, Any]) -> HttpResponse:
            secret = token.rotate(grace=asked["grace"], by=request.user.get_username())
            self.log_change(request, token, "Rotated.")
            return show_token(self, request, token, secret)

        return confirm(
            self,
            request,
            pk,
            title="Rotate the API token",
            explanation="A new API token is issued and shown once. Until the time you choose, "
            "both work; a token rotated earlier stops at once.",
            act=act,
            form_class=RotateForm,
        )

    def revoke(self, request: HttpRequest, pk: str) -> HttpResponse:
        def act(request: HttpRequest, token: Token, asked: dict[str, Any]) -> HttpResponse:
            token.revoke(by=request.user.get_username())
            self.log_change(request, token, "Revoked.")
            messages.success(request, f"{token} is revoked: within seconds it is answered 401.")
            return redirect("admin:tracking_token_changelist")

        return confirm(
            self,
            request,
            pk,
            title="Revoke the API token",
            explanation="Whoever sends with it is answered 401, for ever. What was stored is kept, "
            "and what is owed is still delivered.",
            act=act,
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Deleting asks about each backlog, so one at a time."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        def act(request: HttpRequest, token: Token, asked: dict[str, Any]) -> HttpResponse:
            delete_token(token, by=request.user.get_username(), rate=asked["rate"])
            ring_on_commit()
            self.log_change(request, token, "Deleted.")
            messages.success(request, f"{token.name} is deleted. What it owed is cancelled.")
            return redirect("admin:tracking_token_changelist")

        return confirm(
            self,
            request,
            object_id,
            title="Delete the token",
            explanation="Whoever sends with it is answered 401, and its integrations are deleted: "
            "what they are owed is cancelled. Hits and everything on record stay. It cannot be "
            "undone.",
            act=act,
            form_class=RateForm,
            foresee=lambda token, filters: backlog.preview_token(token),
            counted=Cancel.counted,
            permission="delete_token",
        )
