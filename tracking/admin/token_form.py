"""The forms of a token's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tracking.models import Token
from tracking.models.tokens.privacy import check_origin
from tracking.models.tokens.token import MAX_BREAKDOWNS, MAX_PROPERTY
from tracking.presentation.form_fields import LinesField

GRACE = [
    (0, _("now")),
    (3600, _("in an hour")),
    (86_400, _("in a day")),
    (604_800, _("in a week")),
]


def check_group(name: str) -> None:
    if not Group.objects.filter(name=name).exists():
        raise ValidationError(
            _("There is no group %(name)r. Create it first."), "unknown", {"name": name}
        )


def check_property(name: str) -> None:
    if len(name) > MAX_PROPERTY:
        raise ValidationError(_("At most 100 characters per property."), "long")


class RotateForm(forms.Form):
    grace = forms.TypedChoiceField(
        label=_("The old API token stops working"), choices=GRACE, coerce=int, initial=86_400
    )


class TokenForm(forms.ModelForm):
    origins = LinesField(
        label=_("Allowed origins"),
        required=False,
        check=check_origin,
        help_text=_(
            "One per line: https://shop.example or https://*.shop.example. They may send "
            "with the project id. Empty: any site."
        ),
    )

    audience = LinesField(
        label=_("Restrict access to groups"),
        required=False,
        check=check_group,
        help_text=_(
            "Group names, one per line. Only members see the token and its hits. Empty: "
            "every user who may view tokens."
        ),
    )

    breakdowns = LinesField(
        label=_("Breakdowns"),
        required=False,
        widget=LinesField.area(complete="breakdowns"),
        check=check_property,
        help_text=_(
            "Properties that analytics counts events by, one per line, at most 10: such as "
            "plan, at the top level of an event; not transaction.total, within an object. Applies "
            "to new hits; manage.py rollup --rebuild counts earlier ones."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "breakdowns" in self.fields:
            # Its own hits are read for suggestions.
            self.fields["breakdowns"].widget.attrs["data-token"] = str(self.instance.pk)

    def clean_breakdowns(self) -> list[str]:
        names: list[str] = self.cleaned_data["breakdowns"]
        if len(names) > MAX_BREAKDOWNS:
            raise ValidationError(_("At most %(max)s properties."), "many", {"max": MAX_BREAKDOWNS})
        return names

    def clean_name(self) -> str:
        """Refuse a name that is taken. The constraint has a condition on a field that is not in the
        form, so Django does not check it."""
        name: str = self.cleaned_data["name"]
        if Token.objects.present().filter(name=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("A token with this name already exists."), code="taken")
        return name
