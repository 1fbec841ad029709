"""Deliveries in every state, and the dead letters that can be replayed."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tracking.admin.filters import PresentFilter
from tracking.admin.hit import HitAdmin
from tracking.admin.read_only import ReadOnlyAdmin
from tracking.models import DeadLetter, Delivery, Hit
from tracking.models.deliveries.dead_letter import CODES
from tracking.models.deliveries.delivery import present
from tracking.models.operations.replay_selected import replay_chosen
from tracking.presentation.admin_site import admin_site, admin_url
from tracking.presentation.pill import pill
from tracking.wakeup import wake_dispatcher_on_commit

#: What a key of the database can be.
ID = re.compile(r"[0-9]{1,18}")


def link_to_hit(hit_id: Any) -> SafeString:
    url = admin_url("hitstream_hit_change", hit_id)
    return format_html('<a href="{}">{}</a>', url, hit_id)


class HitRowsAdmin(ReadOnlyAdmin):
    """Rows that belong to hits; the search finds them by the identifiers of the hit."""

    here = "integrations"
    owner = "integration__token"
    list_display_links = None
    list_select_related = ("integration__token",)
    search_fields = ("hit_id",)
    search_help_text = HitAdmin.search_help_text

    class Media:
        css = {"all": ("hitstream/admin.css",)}  # noqa: RUF012 (Django's own form)

    @admin.display(ordering="hit_id", description=_("hit"))
    def hit_link(self, row: Delivery | DeadLetter) -> SafeString:
        return link_to_hit(row.hit_id)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        admin_of_hits = HitAdmin(Hit, self.admin_site)
        seen = admin_of_hits.get_queryset(request)
        hits, _ = admin_of_hits.get_search_results(request, seen, search_term)
        return queryset.filter(hit_id__in=list(hits.values_list("pk", flat=True)[:1000])), False


@admin.register(Delivery, site=admin_site())
class DeliveryAdmin(HitRowsAdmin):
    list_display = ("hit_link", "integration", "state_shown", "since", "why")
    list_filter = ("state", ("integration", PresentFilter))

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Delivery | None:
        """Return the delivery by both of its keys, HIT:INTEGRATION, in its present state; by the
        hit alone if it has only one."""
        hit_id, _, integration = object_id.partition(":")
        try:
            wanted: dict[str, Any] = {"hit_id": UUID(hit_id)}
        except ValueError:
            return None
        if integration:
            wanted["integration"] = integration if ID.fullmatch(integration) else None
        found = present(self.get_queryset(request).filter(**wanted))
        return found[0] if len(found) == 1 else None

    @admin.display(description=_("reason"))
    def why(self, delivery: Delivery) -> str:
        return delivery.held_back or delivery.trouble or delivery.reason

    @admin.display(ordering="state", description=_("state"))
    def state_shown(self, delivery: Delivery) -> SafeString:
        return pill(delivery.colour, delivery.get_state_display())


class CodeFilter(admin.SimpleListFilter):
    """A filter by the known codes: collecting the distinct ones would read every dead letter."""

    title, parameter_name = _("code"), "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code.replace("_", " ")) for code in CODES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value()
        if not wanted:
            return queryset
        return queryset.filter(code=wanted) if wanted in CODES else queryset.none()


@admin.register(DeadLetter, site=admin_site())
class DeadLetterAdmin(HitRowsAdmin):
    list_display = ("hit_link", "integration", "failed_at", "code", "message", "attempts")
    list_filter = (("integration", PresentFilter), CodeFilter)
    # The integration's.
    exclude = ("token_id",)
    actions = ("replay",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("hitstream.change_deadletter")

    @admin.action(description=_("Replay selected dead letters"), permissions=["replay"])
    def replay(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        count = replay_chosen(
            DeadLetter.objects.filter(pk__in=letters.values("pk")),
            by=request.user.get_username(),
            message="Selected in the list of dead letters.",
        )
        wake_dispatcher_on_commit()
        text = ngettext(
            "%(number)s dead letter is queued again.",
            "%(number)s dead letters are queued again.",
            count,
        )
        messages.success(request, text % {"number": intcomma(count)})
