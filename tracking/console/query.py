"""The analytics form, and the AnalyticsQuery that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.console.period import Period
from tracking.models import Rollup, Token
from tracking.models.access.scope import Scope
from tracking.models.analytics.dimensions import DAY, HOUR
from tracking.models.analytics.rollup import RollupQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: The quick ranges.
LAST = {
    "24h": partial(Period.last_hours, 24),
    "7d": partial(Period.last_days, 7),
    "30d": partial(Period.last_days, 30),
    "90d": partial(Period.last_days, 90),
}
DEFAULT = "7d"
MAX_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyticsQuery:
    """A query of the rollups. `name` is an event, empty for any; `breakdown` is a property, empty
    for none."""

    scope: Scope
    token_ids: Sequence[int]
    period: Period
    name: str
    breakdown: str

    def events(self) -> RollupQuerySet:
        """Return all events of the period, by its unit."""
        dimension = HOUR if self.period.is_hourly else DAY
        return self._rows.within(dimension, self.period.since, self.period.until)

    def chosen_events(self) -> RollupQuerySet:
        """Return the events of the period that have the query's name."""
        return self.events().filter(name=self.name) if self.name else self.events()

    def days(self, dimension: str) -> RollupQuerySet:
        """Return the rows of a dimension that is counted by days only: whole days, of the named
        event or of any."""
        return self._rows.within(dimension, *self.period.day_bounds).filter(name=self.name)

    def day_total(self) -> int:
        """Return the number of events of these days."""
        rows = self._rows.within(DAY, *self.period.day_bounds)
        return (rows.filter(name=self.name) if self.name else rows).total()

    @property
    def _rows(self) -> RollupQuerySet:
        return Rollup.objects.of(self.scope, self.token_ids)


class DayField(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def __init__(self, label: StrOrPromise) -> None:
        super().__init__(label=label, required=False, input_formats=["%Y-%m-%d"])


class AnalyticsQueryForm(forms.Form):
    token = forms.ChoiceField(label=gettext_lazy("Token"), required=False)
    last = forms.ChoiceField(
        label=gettext_lazy("Range"),
        required=False,
        choices=[(each, each) for each in LAST],
        widget=forms.HiddenInput,
    )
    since = DayField(gettext_lazy("From"))
    until = DayField(gettext_lazy("To"))
    name = forms.CharField(
        label=gettext_lazy("Event"),
        required=False,
        max_length=255,
        strip=False,
        widget=forms.TextInput(
            attrs={"data-complete": "events", "placeholder": gettext_lazy("Any event")}
        ),
    )
    breakdown = forms.ChoiceField(label=gettext_lazy("Breakdown"), required=False)

    def __init__(self, data: Mapping[str, Any], scope: Scope) -> None:
        """Bind the form to the data. Raises Http404 for a token outside the scope."""
        super().__init__(data)
        self._scope = scope
        seen = scope.limit(Token.objects.order_by("deleted_at", "name"), "pk")
        self._tokens = {str(token.pk): token for token in seen}
        if data.get("token", "") not in {"", *self._tokens}:
            raise Http404
        tokens = [(pk, str(token)) for pk, token in self._tokens.items()]
        self._choices("token").choices = [("", _("All tokens")), *tokens]
        names = sorted({name for each in self._tokens.values() for name in each.breakdowns})
        self.has_breakdowns = bool(names)
        self._choices("breakdown").choices = [("", _("None")), *((name, name) for name in names)]

    def _choices(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field

    def _chosen_tokens(self) -> list[Token]:
        token = self.data.get("token", "")
        return [self._tokens[token]] if token else list(self._tokens.values())

    def clean(self) -> dict[str, Any]:
        """Check the days. A single day is a period of one day."""
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("since"), cleaned.get("until")
        first, last = first or last, last or first
        if first and last:
            if first > last:
                self.add_error("until", _('"To" must be on or after "From".'))
            elif last - first > timedelta(days=MAX_DAYS):
                text = _("Choose at most %(most)s days.") % {"most": MAX_DAYS}
                self.add_error("until", text)
            elif not (first.year > 1970 and last.year < 9999):
                self.add_error("since", _("Choose a year from 1971 to 9998."))
        return {**cleaned, "since": first, "until": last}

    def query(self) -> AnalyticsQuery | None:
        """Return the query; None if the form is invalid."""
        if not self.is_valid():
            return None
        cleaned = self.cleaned_data
        if cleaned["since"]:
            period = Period.of_days(cleaned["since"], cleaned["until"])
        else:
            period = LAST[cleaned["last"] or DEFAULT](datetime.now(UTC))
        return AnalyticsQuery(
            scope=self._scope,
            token_ids=[token.pk for token in self._chosen_tokens()],
            period=period,
            name=cleaned["name"],
            breakdown=cleaned["breakdown"],
        )
