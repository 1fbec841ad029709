"""One form made of two: the integration's own fields, and those that its destination declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.admin.mapping_form import MappingForm
from tracking.destinations.contract.config_form import ConfigForm
from tracking.destinations.contract.destination import Destination
from tracking.destinations.contract.form_fields import DurationField
from tracking.exceptions import SetupError
from tracking.models import Integration, Token
from tracking.models.access.scope import Scope
from tracking.models.integrations.defaults import default_max_age, default_retry_base
from tracking.models.integrations.field_groups import SENDING
from tracking.presentation.form_fields import LinesField

CONFIG, MAPPING = "config-", "mapping-"
KEPT = " Leave blank to keep the saved value; type - to remove it."


class IntegrationForm(forms.ModelForm):
    """`config_form` is the form of the destination, bound to the same data; it alone validates its
    fields."""

    destination: ClassVar[type[Destination] | None] = None
    #: The tokens to choose from.
    scope: ClassVar[Scope] = Scope(None)
    #: Whether the form is only filled in to test the connection. It is then never saved.
    is_trial: ClassVar[bool] = False
    event_names = LinesField(
        label=_("Only these events"),
        required=False,
        help_text=_("Event names, one per line. Empty: every event."),
        widget=LinesField.area(complete="events"),
    )

    max_age = DurationField(
        initial=default_max_age,
        label=_("Give up after"),
        help_text=_(
            "Such as 7 days. Counted from the moment the delivery was queued; an attempt that "
            "fails later is the last."
        ),
    )
    retry_base = DurationField(
        initial=default_retry_base,
        label=_("First retry within"),
        least=0.001,
        most=86_400,
        whole=False,
        help_text=_(
            "Such as 30 s. The longest wait before the first retry; it doubles with each retry."
        ),
    )

    class Meta:
        model = Integration
        fields = ("token", "name", *SENDING)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.config_form: ConfigForm | None = None
        # Its backlog belongs to the token that it was created for.
        self.fields["token"].disabled = self.instance.pk is not None
        tokens = self.scope.limit(Token.objects.present(), "pk")
        self.fields["token"].queryset = tokens  # type: ignore[attr-defined]
        if self.destination is None:
            return
        names = self.destination.Config.secret_names()
        for name, value in self.instance.config.items():
            self.initial[f"{CONFIG}{name}"] = value
        for name, value in self.instance.mapping.items():
            shown = MappingForm.base_fields[name].prepare_value(value)
            self.initial[f"{MAPPING}{name}"] = shown
        keep_secrets(self, names if self.instance.secrets else ())
        if self.is_bound:
            self.mapping_form = MappingForm(self.data, prefix=MAPPING.rstrip("-"))
            self.config_form = self.destination.Config(
                self.data,
                self.files,
                prefix=CONFIG.rstrip("-"),
                stored=names if self.instance.secrets else (),
                present=self.instance.config if self.instance.secrets else None,
            )

    def is_valid(self) -> bool:
        return super().is_valid() and not self.is_trial

    def clean(self) -> dict[str, Any]:
        """Configure the instance, or add the errors to the form."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        # The constraint has a condition on a field that is not in the form, so Django does not
        # check it.
        others = Integration.objects.present().exclude(pk=self.instance.pk)
        if others.filter(token=cleaned.get("token"), name=cleaned.get("name")).exists():
            self.add_error("name", _("The token already has an integration with this name."))
        if self.config_form is None:
            return cleaned
        self._pass_on_errors(self.mapping_form, MAPPING)
        if self.mapping_form.is_valid():
            self.instance.mapping = self.mapping_form.mapping().dump()
        self._pass_on_errors(self.config_form, CONFIG)
        if self.config_form.is_valid():
            try:
                self.instance.configure(self.config_form)
            except SetupError as error:
                self.add_error(None, str(error))
        return cleaned

    def _pass_on_errors(self, form: forms.Form, prefix: str) -> None:
        for name, errors in form.errors.items():
            self.add_error(f"{prefix}{name}" if name in form.fields else None, errors)


def form_for(
    destination: type[Destination] | None, scope: Scope, *, is_trial: bool = False
) -> type[IntegrationForm]:
    """Return an IntegrationForm with the fields of the destination, which pass their input on
    unchanged."""
    config = destination.Config.base_fields if destination else {}
    fields = {**passing(config, CONFIG), **passing(MappingForm.base_fields, MAPPING)}
    return type(
        "IntegrationForm",
        (IntegrationForm,),
        {**fields, "destination": destination, "scope": scope, "is_trial": is_trial},
    )


def keep_secrets(form: forms.Form | forms.ModelForm, saved: Iterable[str]) -> None:
    """Let the fields of the saved secrets be left blank, and say so."""
    for name in saved:
        field = form.fields[f"{CONFIG}{name}"]
        field.required = False
        field.help_text += KEPT


class PassingField(forms.Field):
    """A field that looks like the declared one, marked as required like it, and accepts any
    input."""

    def __init__(self, *, declared: forms.Field, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._declared = declared

    def validate(self, value: Any) -> None:
        """Accept it: the form that declares the field validates it."""

    def prepare_value(self, value: Any) -> Any:
        return self._declared.prepare_value(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as the declared field does, but for the ends of lines."""
        typed = data.replace("\r\n", "\n") if isinstance(data, str) else data
        return self._declared.has_changed(initial, typed)


def passing(declared: Mapping[str, forms.Field], prefix: str) -> dict[str, forms.Field]:
    """Return fields that pass their input on: the form that declares them validates it."""
    return {
        f"{prefix}{name}": PassingField(
            declared=field,
            required=field.required,
            widget=field.widget,
            label=field.label or name.replace("_", " ").capitalize(),
            help_text=field.help_text,
            initial=field.initial,
        )
        for name, field in declared.items()
    }
