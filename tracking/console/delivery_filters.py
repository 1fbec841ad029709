"""The filters of the delivery log, in the address of the page, and the LogQuery that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.console.moment_field import WRITTEN, MomentField
from tracking.models import Integration
from tracking.models.access.scope import Scope
from tracking.models.deliveries.conditions import CODE, Conditions
from tracking.models.deliveries.delivery import DeliveryState
from tracking.models.explain.delivery_log import LogQuery

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: A text in the answers is searched for in those of this time, unless another is chosen; and for
#: how long at the press of a button.
TEXT_REACH, TEXT_FURTHER = timedelta(hours=24), timedelta(days=7)
#: The filters that stand in the second row.
FURTHER = ("answer", "attempts", "since", "until")


def text_field(
    label: StrOrPromise, hint: StrOrPromise = "", length: int = 255, *, complete: str = ""
) -> forms.CharField:
    attributes = {
        "autocomplete": "off",
        "spellcheck": "false",
        "placeholder": hint,
        "data-complete": complete,
    }
    return forms.CharField(
        label=label,
        required=False,
        max_length=length,
        widget=forms.TextInput(attrs={key: text for key, text in attributes.items() if text}),
    )


class DeliveryFilters(forms.Form):
    """`integration` is not a field of the log of one integration."""

    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[("", gettext_lazy("any")), *DeliveryState.choices],
    )
    integration = forms.ModelChoiceField(
        Integration.objects.none(),
        label=gettext_lazy("Integration"),
        required=False,
        empty_label=gettext_lazy("any"),
    )
    event = text_field(gettext_lazy("Event"), complete="events")
    user = text_field(gettext_lazy("User"), gettext_lazy("user id, anonymous id, e-mail"), 320)
    status = text_field(gettext_lazy("HTTP code"), gettext_lazy("503, 5xx or none"), 10)
    answer = text_field(gettext_lazy("Text in the response"))
    attempts = forms.IntegerField(
        label=gettext_lazy("Attempts, at least"),
        required=False,
        min_value=1,
        max_value=32_767,
    )
    since = MomentField(gettext_lazy("Received from"))
    until = MomentField(gettext_lazy("Received before"))

    def __init__(
        self, data: Mapping[str, Any], scope: Scope, integration: Integration | None = None
    ) -> None:
        super().__init__(data, auto_id="hs-filter-%s")
        self._scope, self._integration = scope, integration
        if integration:
            del self.fields["integration"]
        else:
            field = self.fields["integration"]
            assert isinstance(field, forms.ModelChoiceField)
            seen = scope.limit(Integration.objects.present().select_related("token"))
            field.queryset = seen.order_by("token__name", "name")

    @property
    def main(self) -> Iterable[forms.BoundField]:
        return [field for field in self if field.name not in FURTHER]

    @property
    def further(self) -> Iterable[forms.BoundField]:
        return [self[name] for name in FURTHER]

    @property
    def has_further(self) -> bool:
        """Whether a filter of the second row is set, or wrong."""
        return any(self.data.get(name) or self[name].errors for name in FURTHER)

    def clean_status(self) -> str:
        status: str = self.cleaned_data["status"].strip().lower()
        if status and not CODE.fullmatch(status):
            raise forms.ValidationError(_("Enter a code like 503, a class like 5xx, or none."))
        return status

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since >= until:
            self.add_error("until", _("Choose a time after “Received from”."))
        return cleaned

    def query(self) -> LogQuery | None:
        """Return the query; None if the form is invalid."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        return LogQuery(
            scope=self._scope,
            integration=self._integration or given.get("integration"),
            state=given["state"],
            since=self.text_since() or given["since"],
            until=given["until"],
            conditions=Conditions(
                event=clean(given["event"]),
                user=clean(given["user"]),
                status=given["status"],
                answer=clean(given["answer"]),
                requests=given["attempts"] or 0,
            ),
        )

    def text_since(self) -> datetime | None:
        """Return since when the text is searched for, if no time was chosen; None without a
        text."""
        given = self.cleaned_data
        if not given["answer"] or given["since"]:
            return None
        now = timezone.now()
        return min(given["until"] or now, now) - TEXT_REACH

    def parameters(self, **changes: str) -> str:
        """Return the query string of these filters, with these changes."""
        names = [name for name in self.fields if self.data.get(name)]
        return urlencode({**{name: self.data[name] for name in names}, **changes})

    def further_back(self) -> str:
        """Return the query string that searches the responses of the last seven days."""
        since = timezone.localtime(timezone.now() - TEXT_FURTHER)
        return self.parameters(since=since.strftime(WRITTEN))


def clean(text: str) -> str:
    """Return the text as the database stores it."""
    return text.replace("\0", "\ufffd")
