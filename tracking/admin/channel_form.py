"""One form made of two: the channel's own fields, and those that its kind declares."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from tracking.admin.integration_form import CONFIG, keep_secrets, passing
from tracking.alerts.channels.base import Channel
from tracking.destinations.contract.config_form import ConfigForm
from tracking.exceptions import SetupError
from tracking.models import AlertChannel


class ChannelForm(forms.ModelForm):
    """`config_form` is the form of the kind, bound to the same data; it alone validates its
    fields."""

    channel: ClassVar[type[Channel]]

    class Meta:
        model = AlertChannel
        fields = ("name", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        config = self.channel.Config
        for name, value in self.instance.config.items():
            if name in config.base_fields:
                self.initial[f"{CONFIG}{name}"] = config.base_fields[name].prepare_value(value)
        stored = config.secret_names() if self.instance.secrets else frozenset()
        keep_secrets(self, stored)
        self.config_form: ConfigForm | None = None
        if self.is_bound:
            self.config_form = config(
                self.data,
                self.files,
                prefix=CONFIG.rstrip("-"),
                stored=stored,
                present=self.instance.config if stored else None,
            )

    def clean(self) -> dict[str, Any]:
        """Configure the instance, or add the errors to the form."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        form = self.config_form
        assert form is not None
        for name, errors in form.errors.items():
            self.add_error(f"{CONFIG}{name}" if name in form.fields else None, errors)
        if form.is_valid():
            try:
                self.instance.configure(form)
            except SetupError as error:
                self.add_error(None, str(error))
        return cleaned


def form_for(channel: type[Channel]) -> type[ChannelForm]:
    """Return a ChannelForm with the fields of the kind, which pass their input on unchanged."""
    fields: dict[str, Any] = dict(passing(channel.Config.base_fields, CONFIG))
    return type("ChannelForm", (ChannelForm,), {**fields, "channel": channel})
