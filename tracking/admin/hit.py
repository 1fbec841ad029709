"""Hits, read-only: a search by their identifiers, and the history of each."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tracking.admin.filters import PresentFilter
from tracking.admin.read_only import ReadOnlyAdmin
from tracking.models import Hit
from tracking.models.explain.hit_history import hit_history
from tracking.models.hits.hit import digest_of_email
from tracking.presentation.admin_site import admin_site
from tracking.uuid7 import first_uuid7


class ReceivedFilter(admin.SimpleListFilter):
    """A filter by the time in the id, which is also the partition key."""

    title = _("received")
    parameter_name = "received"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            ("1", str(_("in the last hour"))),
            ("24", str(_("in the last day"))),
            ("168", str(_("in the last week"))),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Hit]) -> QuerySet[Hit]:
        hours = {choice for choice, _ in self.lookup_choices} & {self.value()}
        if not hours:
            return queryset
        since = datetime.now(UTC) - timedelta(hours=int(hours.pop()))
        return queryset.filter(id__gte=first_uuid7(since))


@admin.register(Hit, site=admin_site())
class HitAdmin(ReadOnlyAdmin):
    here = "live"
    list_display = ("received", "name", "user_id", "anonymous_id", "hit_id", "token")
    list_filter = (ReceivedFilter, ("token", PresentFilter))
    list_select_related = ("token",)
    search_fields = ("hit_id",)
    search_help_text = _(
        "A whole hitId, Hitstream ID, user id, anonymous id, e-mail address or hash, or event name."
    )
    change_form_template = "admin/hitstream/hit/change_form.html"

    class Media:
        css = {"all": ("hitstream/admin.css",)}  # noqa: RUF012 (Django's own form)

    @admin.display(description=_("received"), ordering="id")
    def received(self, hit: Hit) -> str:
        return f"{timezone.localtime(hit.received_at):%Y-%m-%d %H:%M:%S}"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Hit], search_term: str
    ) -> tuple[QuerySet[Hit], bool]:
        """Search by exact match only: each column has its index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if "\0" in term:
            return queryset.none(), False
        columns = ("hit_id", "user_id", "anonymous_id", "email_hash", "name")
        wanted = Q(*((column, term) for column in columns), _connector=Q.OR)
        if "@" in term:
            wanted |= Q(email_digest=digest_of_email(term))
        with suppress(ValueError):
            wanted |= Q(id=UUID(term))
        return queryset.filter(wanted), False

    def row_context(self, request: HttpRequest, obj: Hit) -> dict[str, Any]:
        return {"history": hit_history(obj)}
