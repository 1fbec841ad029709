"""The outcomes of the hits of each hour, in numbers that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tracking.admin.object_page import ObjectPage
from tracking.models import Ledger
from tracking.models.ledger.ledger import ENDS, LedgerRow
from tracking.presentation.buckets import hour_of

DAYS = {"1": _("a day"), "7": _("a week"), "30": _("a month")}


class LedgerView(ObjectPage):
    """One row an hour, one column of counts for each of `columns`, and the totals."""

    title = _("Ledger")
    columns: ClassVar[tuple[str, ...]]

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        wanted = request.GET.get("days")
        days = wanted if wanted in DAYS else "1"
        now = timezone.localtime()
        hours = by_hour(self.read(hour_of(now - timedelta(days=int(days)))))
        return self.show(
            "ledger",
            subtitle=str(self.object),
            columns=self.columns,
            rows=[(hour.at, self.counts(hour), self.adds_up(hour)) for hour in hours],
            totals=[sum(counts) for counts in zip(*map(self.counts, hours), strict=True)],
            days=days,
            choices=DAYS,
        )

    def read(self, since: datetime) -> list[LedgerRow]:
        raise NotImplementedError

    def counts(self, hour: LedgerRow) -> list[int]:
        return [hour.stored if each == "stored" else hour[each] for each in self.columns]

    def adds_up(self, hour: LedgerRow) -> bool:
        return True


def by_hour(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """Return the sums of each hour in the time zone of the page, in the same order."""
    sums: dict[datetime, Counter[str]] = {}
    for row in rows:
        sums.setdefault(hour_of(row.at), Counter()).update(row.counts)
    return [LedgerRow(hour, counts) for hour, counts in sums.items()]


class IntegrationLedgerView(LedgerView):
    """matched = delivered + skipped + cancelled + dead + pending + retrying, hour by hour."""

    columns = ("matched", *ENDS)

    def read(self, since: datetime) -> list[LedgerRow]:
        return Ledger.objects.of_integration(self.object.pk, since)

    def adds_up(self, hour: LedgerRow) -> bool:
        return hour.adds_up


class TokenLedgerView(LedgerView):
    """accepted = stored + duplicate, hour by hour; and the refused hits."""

    columns = ("accepted", "stored", "duplicate", "refused")

    def read(self, since: datetime) -> list[LedgerRow]:
        return Ledger.objects.of_token(self.object.pk, since)
