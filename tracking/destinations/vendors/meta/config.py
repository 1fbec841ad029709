"""The configuration form of Meta."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.advertising import DeniedField, LimitedUseField
from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import DefaultCountryField


class MetaConfig(ConfigForm):
    pixel_id = forms.RegexField(
        label=_("Pixel or dataset ID"),
        regex=r"^[0-9]{5,25}$",
        help_text=_("Events Manager → Data sources → your dataset → Settings → Dataset ID."),
    )
    access_token = SecretField(
        label=_("Access token"),
        help_text=_(
            "On the same page → Conversions API → Set up manually → Generate access token."
        ),
    )
    test_event_code = forms.CharField(
        label=_("Test event code"),
        required=False,
        max_length=100,
        help_text=_("Only for tests: Events Manager → Test events → TEST…"),
    )
    custom_events = forms.BooleanField(
        required=False,
        label=_("Custom events"),
        help_text=_(
            "Also send events that are not standard events of Meta, under their own names."
        ),
    )
    custom_properties = forms.BooleanField(
        required=False,
        label=_("Custom properties"),
        help_text=_(
            "Also send the event's own properties, without e-mail address, phone number and"
            " contact. Meta forbids data that identify a person: drop such fields by the mapping."
        ),
    )
    default_country = DefaultCountryField()
    denied = DeniedField()
    limited_data_use = LimitedUseField()
