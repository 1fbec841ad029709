"""An integration's configuration as text, for users who may view but not change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from tracking.admin.mapping_form import MappingForm
from tracking.destinations.contract.destination import Destination
from tracking.models import Integration

NOTHING = "\N{EN DASH}"


class ShownField:
    """A column of the admin: Django calls it with the integration."""

    def __init__(self, name: str, field: forms.Field) -> None:
        self.name, self._field = name, field
        self.short_description = field.label or name.replace("_", " ").capitalize()
        self.__name__ = name

    def __call__(self, integration: Integration) -> SafeString:
        shown = (self.text(integration) or NOTHING).splitlines()
        return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in shown))

    def text(self, integration: Integration) -> str:
        raise NotImplementedError


class ConfigValue(ShownField):
    def text(self, integration: Integration) -> str:
        value = integration.config.get(self.name)
        if isinstance(self._field, forms.ChoiceField):
            choices: Any = self._field.choices
            value = dict(choices).get(value, value)
        return text_of(self._field.prepare_value(value))


class SecretValue(ShownField):
    """Whether a secret is saved. Its value is shown to nobody."""

    def text(self, integration: Integration) -> str:
        if integration.key_error() is not None:
            return str(_("cannot be decrypted"))
        return str(_("saved, not shown")) if integration.secrets.open().get(self.name) else ""


class MappingValue(ShownField):
    def text(self, integration: Integration) -> str:
        return text_of(self._field.prepare_value(integration.mapping.get(self.name)))


class OwnValue(ShownField):
    """A field of the integration's own, as its form shows it."""

    def text(self, integration: Integration) -> str:
        return text_of(self._field.prepare_value(getattr(integration, self.name)))


def shown_config(destination: type[Destination] | None) -> list[ShownField]:
    """Return the fields that the destination declares."""
    if destination is None:
        return []
    secret = destination.Config.secret_names()
    return [
        SecretValue(name, field) if name in secret else ConfigValue(name, field)
        for name, field in destination.Config.base_fields.items()
    ]


def shown_mapping() -> list[ShownField]:
    return [MappingValue(name, field) for name, field in MappingForm.base_fields.items()]


def text_of(value: Any) -> str:
    """Return the value as an operator would have typed it."""
    match value:
        case None:
            return ""
        case bool():
            return str(_("yes") if value else _("no"))
        case list() | tuple():
            return "\n".join(map(str, value))
        case Mapping():
            return "\n".join(f"{key}: {item}" for key, item in value.items())
    return str(value)
