"""The base class of a destination's configuration form, and its secret fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms


class SecretField(forms.CharField):
    """A credential. It is stored encrypted, never shown again, and masked in every recorded
    request."""

    widget: forms.Widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})

    def clean(self, value: Any) -> Any:
        return super().clean("" if str(value or "").strip() == "-" else value)


class ConfigForm(forms.Form):
    """The configuration of a destination as the operator enters it. Every cleaned value is JSON.

    A plain field left empty takes its initial value. A secret left empty keeps the stored one, and
    a single "-" removes it: `stored` names the secrets that the integration has. `issued` holds the
    secrets that the form created, by field name, to be shown once.
    """

    issued: dict[str, str]

    def __init__(self, *args: Any, stored: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.issued = {}
        self.stored = self.secret_names() & frozenset(stored)
        self.removed = {name for name in self.secret_names() if self._given(name) == "-"}
        for name in self.stored - self.removed:
            self.fields[name].required = False

    @classmethod
    def secret_names(cls) -> frozenset[str]:
        return frozenset(
            name for name, item in cls.base_fields.items() if isinstance(item, SecretField)
        )

    def split(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the cleaned values in two parts: those that may be stored in plain text, and the
        secrets that were entered."""
        names = self.secret_names()
        values = self.cleaned_data
        plain = {name: value for name, value in values.items() if name not in names}
        return plain, {name: values[name] for name in sorted(names) if values.get(name)}

    def merge_secrets(self, present: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """Return all secrets after this change. `present` decrypts the stored ones; it is called
        only if at least one of them is kept."""
        given = self.split()[1]
        kept = self.stored - self.removed - frozenset(given)
        return {**({k: v for k, v in present().items() if k in kept} if kept else {}), **given}

    def clean(self) -> dict[str, Any]:
        for name, item in self.fields.items():
            if self.cleaned_data.get(name) in item.empty_values and item.initial is not None:
                self.cleaned_data[name] = item.initial
        return self.cleaned_data

    def _given(self, name: str) -> str:
        raw = self.fields[name].widget.value_from_datadict(
            self.data, self.files, self.add_prefix(name)
        )
        return str(raw or "").strip()
