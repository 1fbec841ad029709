"""Tables of analytics, for the page and as files of comma-separated values."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.http import HttpResponse
from django.utils.translation import gettext as _

#: A spreadsheet takes a text that begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a table; `share` is its part of the whole, if it has one."""

    number: int
    share: float | None = None

    def __str__(self) -> str:
        return f"{self.number:,}"

    @property
    def percent(self) -> str:
        return "" if self.share is None else f"{self.share:.1%}"


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of figures. `label` is its time or text, `address` links to more about it."""

    label: datetime | str
    figures: Sequence[Figure]
    address: str = ""

    @property
    def figure(self) -> Figure:
        return self.figures[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table: `key` names it in the address of its file, `first` heads the column of labels."""

    key: str
    title: str
    first: str
    names: Sequence[str]
    rows: Sequence[TableRow] = field(default_factory=tuple)

    @property
    def greatest(self) -> int:
        return max((row.figure.number for row in self.rows), default=0)

    @property
    def is_empty(self) -> bool:
        return not any(figure.number for row in self.rows for figure in row.figures)

    def download(self, name: str) -> HttpResponse:
        """Return the table as a file of this name, in UTF-8. Times are ISO-8601."""
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        writer = csv.writer(response)
        has_shares = any(row.figure.share is not None for row in self.rows)
        writer.writerow([*map(plain, (self.first, *self.names)), *([_("Share")] * has_shares)])
        for row in self.rows:
            label = row.label.isoformat() if isinstance(row.label, datetime) else plain(row.label)
            shares = [f"{row.figure.share:.6f}"] if row.figure.share is not None else []
            writer.writerow([label, *(figure.number for figure in row.figures), *shares])
        return response


def plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def ranked(counts: Iterable[tuple[str, int]], whole: int) -> list[TableRow]:
    """Return a row for each count, with its share of the whole."""
    return [
        TableRow(label, [Figure(number, number / whole if whole else 0.0)])
        for label, number in counts
    ]
