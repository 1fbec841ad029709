"""The base class of a destination's configuration form, and its secret fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.exceptions import SetupError

#: What the address decides, for the operator.
MOVED = _("The address has changed: enter it again, since it was entered for another one.")


class SecretField(forms.CharField):
    """A credential. It is stored encrypted, never shown again, and masked in every recorded
    request."""

    widget: forms.Widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})

    def clean(self, value: Any) -> Any:
        return super().clean("" if str(value or "").strip() == "-" else value)


class ConfigForm(forms.Form):
    """The configuration of a destination as the operator enters it. Every cleaned value is JSON.

    A plain field left empty takes its initial value. A secret left empty keeps the stored one, and
    a single "-" removes it: `stored` names the secrets that the integration has, and `present` is
    its stored configuration. Stored secrets are kept only for the address that they were entered
    for. `issued` holds the secrets that the form created, by field name, to be shown once.
    """

    issued: dict[str, str]
    #: The fields that decide, beside URLs and hosts, where the secrets go and who can read them.
    address_fields: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *args: Any,
        stored: Iterable[str] = (),
        present: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.issued = {}
        self.present = present
        self.stored = self.secret_names() & frozenset(stored)
        self.removed = {name for name in self.secret_names() if self._given(name) == "-"}
        for name in self.stored - self.removed:
            self.fields[name].required = False

    @classmethod
    def secret_names(cls) -> frozenset[str]:
        return frozenset(
            name for name, item in cls.base_fields.items() if isinstance(item, SecretField)
        )

    @classmethod
    def address(cls, config: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what a configuration says of where its secrets go."""
        found: list[Any] = []
        for name, item in cls.base_fields.items():
            value = config.get(name)
            value = item.initial if value in item.empty_values else value
            if origin := getattr(item, "origin", None):
                found.append(origin(str(value or "")))
            elif name in cls.address_fields:
                found.append(str(value or ""))
        return tuple(found)

    def split(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the cleaned values in two parts: those that may be stored in plain text, and the
        secrets that were entered."""
        names = self.secret_names()
        values = self.cleaned_data
        plain = {name: value for name, value in values.items() if name not in names}
        return plain, {name: values[name] for name in sorted(names) if values.get(name)}

    def merge_secrets(
        self, config: Mapping[str, Any], present: Callable[[], Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return all secrets after this change of the stored configuration. `present` decrypts the
        stored secrets; it is called only if at least one of them is kept. Raises SetupError if one
        is kept for another address."""
        plain, given = self.split()
        kept = self.stored - self.removed - frozenset(given)
        if kept and self.address(plain) != self.address(config):
            raise SetupError(
                _(
                    "The address has changed: enter it again, since it was entered for another one."
                    " This is about: %(fields)s."
                )
                % {"fields": ", ".join(sorted(kept))}
            )
        return {**({k: v for k, v in present().items() if k in kept} if kept else {}), **given}

    def clean(self) -> dict[str, Any]:
        for name, item in self.fields.items():
            if self.cleaned_data.get(name) in item.empty_values and item.initial is not None:
                self.cleaned_data[name] = item.initial
        if self.present is not None and self.address(self.cleaned_data) != self.address(
            self.present
        ):
            for name in sorted(self.stored - self.removed):
                if not self._given(name):
                    self.add_error(name, forms.ValidationError(MOVED, code="moved"))
        return self.cleaned_data

    def _given(self, name: str) -> str:
        raw = self.fields[name].widget.value_from_datadict(
            self.data, self.files, self.add_prefix(name)
        )
        return str(raw or "").strip()
