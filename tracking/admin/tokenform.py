"""What the pages of a token ask."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from tracking.models import Token

GRACE = [(0, "at once"), (3600, "in an hour"), (86_400, "in a day"), (604_800, "in a week")]


class RotateForm(forms.Form):
    grace = forms.TypedChoiceField(
        label="The present API token stops working", choices=GRACE, coerce=int, initial=86_400
    )


class TokenForm(forms.ModelForm):
    def clean_name(self) -> str:
        """The constraint has a condition on a field that no form has: Django does not check it."""
        name: str = self.cleaned_data["name"]
        if Token.objects.present().filter(name=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError("There is a token with this name already.", code="taken")
        return name
