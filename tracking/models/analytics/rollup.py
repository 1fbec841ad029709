"""The counts of analytics: events, and the users of each day.

The roll-up (`rollup_job`) keeps both, right to the hit. Times are when events occurred, not when
they were received, by hours and days of UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any, LiteralString

from django.db import models
from django.db.models import Case, F, QuerySet, Sum, Value, When

from tracking import db
from tracking.models.access.scope import Scope
from tracking.models.analytics.watermark import Watermark
from tracking.models.tokens.token import Token
from tracking.sql import OF_TOKEN, load

#: Rows that one statement deletes at most.
CHUNK = 10_000
SQL = load(__file__)


class RollupQuerySet(models.QuerySet["Rollup"]):
    def of(self, scope: Scope, token_ids: Iterable[int]) -> RollupQuerySet:
        """Return the counts of these tokens, as far as the scope allows."""
        return self.filter(token_id__in=[each for each in token_ids if scope.sees(each)])

    def within(self, dimension: str, since: datetime, until: datetime) -> RollupQuerySet:
        """Return the dimension from `since` to before `until`: after `of` a range of the key."""
        return self.filter(dimension=dimension, at__gte=since, at__lt=until)

    def total(self) -> int:
        return self.aggregate(total=Sum("count"))["total"] or 0

    def by(self, field: str) -> QuerySet[Rollup, tuple[Any, int]]:
        """Return each `name`, `value` or `at` with its count, the greatest first."""
        counted = self.order_by().values_list(field).annotate(total=Sum("count"))
        return counted.order_by("-total", field)

    def over_time(self, names: Iterable[str], others: str) -> dict[datetime, dict[str, int]]:
        """Return the counts by time, of each of these names and of all others together."""
        own = Case(When(name__in=list(names), then=F("name")), default=Value(others))
        found: dict[datetime, dict[str, int]] = {}
        counted = self.order_by().annotate(own=own).values_list("at", "own")
        for at, name, total in counted.annotate(total=Sum("count")):
            found.setdefault(at, {})[name] = total
        return found

    def forget(self, before: date) -> int:
        """Delete the counts of what occurred before the day. Returns how many rows."""
        moment = datetime.combine(before, time(), UTC)
        return _forget("forget_rollups", moment) + _forget("forget_visitors", before)


def _forget(statement: str, before: date) -> int:
    if not db.is_distributed():
        return _forget_chunks(SQL[statement], {"before": before})
    tokens = Token.objects.values_list("pk", flat=True)
    alone = SQL[statement + OF_TOKEN]
    return sum(_forget_chunks(alone, {"before": before, "token": token}) for token in tokens)


def _forget_chunks(statement: LiteralString, parameters: dict[str, Any]) -> int:
    found, gone = 0, CHUNK
    while gone == CHUNK:
        with Watermark.objects.hold(wait=True) as cursor:
            cursor.execute(statement, {**parameters, "chunk": CHUNK})
            gone = cursor.rowcount
        found += gone
    return found


class Rollup(models.Model):
    """A count of hits (of users, in the dimension `user`) with a value. `at` is the beginning of
    the hour, or of the day.

    Values and users are counted for each event and, with an empty `name`, for all events: a page
    reads at most MAX_VALUES rows for each token and day, however many events there are.
    """

    pk = models.CompositePrimaryKey("token_id", "dimension", "at", "name", "value")
    token_id = models.BigIntegerField()
    dimension = models.CharField(max_length=120)
    at = models.DateTimeField()
    name = models.CharField(max_length=255)
    value = models.CharField(max_length=100)
    count = models.BigIntegerField()

    objects = RollupQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("at",), name="hitstream_rollup_at"),)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H} {self.name} {self.value}: {self.count}"


class Visitor(models.Model):
    """A user of a day: of any event with an empty `name`, and of each event.

    `who` is a digest of the user id, else of the anonymous id, else of the e-mail's hash. The rows
    tell which users are new; they are never counted. A row takes about 170 bytes, its index
    included: a user who does four different things costs 850 bytes that day.
    """

    pk = models.CompositePrimaryKey("day", "token_id", "name", "who")
    day = models.DateField()
    token_id = models.BigIntegerField()
    name = models.CharField(max_length=255)
    who = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.day} {self.name} {self.who}"
