"""A time of the viewer's zone, to the second, in the browser's own widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

WRITTEN = "%Y-%m-%dT%H:%M:%S"


class MomentField(forms.DateTimeField):
    def __init__(self, label: StrOrPromise) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format=WRITTEN)
        super().__init__(label=label, required=False, widget=widget)
