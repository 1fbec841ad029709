"""Admin pages without forms, and a paginator for tables that are too big to count."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format

from tracking.admin.json_column import with_json_columns
from tracking.admin.scoped_admin import ScopedAdmin
from tracking.admin.time_column import with_time_columns

#: The maximum of rows that paging reaches; to see others, filter.
REACH = 10_000


class BoundedCount(int):
    """A number of rows. At the bound it reads as "10,000+"."""

    def __str__(self) -> str:
        number = number_format(int(self), use_l10n=True)
        return f"{number}+" if self >= REACH else number


class BoundedPaginator(Paginator):
    """A paginator that counts no further than paging reaches: the same cost for ten rows and ten
    million."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return BoundedCount(rows.order_by().values("pk")[:REACH].count())


class ReadOnlyAdmin(ScopedAdmin):
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    actions: Any = None
    #: For any column but the key, Postgres would have to sort the whole table.
    sortable_by = ()

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        found = []
        for name, options in super().get_fieldsets(request, obj):
            fields = with_json_columns(self.model, with_time_columns(self.model, options["fields"]))
            found.append((name, {**options, "fields": fields}))
        return found

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
