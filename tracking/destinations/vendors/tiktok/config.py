"""The configuration form of TikTok."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.advertising import DeniedField, LimitedUseField
from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import DefaultCountryField


class TikTokConfig(ConfigForm):
    pixel_code = forms.RegexField(
        label=_("Pixel ID"),
        regex=r"^[A-Za-z0-9]{1,100}$",
        help_text=_("TikTok Ads Manager → Tools → Events → Web events → your pixel → Settings."),
    )
    access_token = SecretField(
        label=_("Access token"),
        help_text=_("On the same page → Events API → Generate access token."),
    )
    test_event_code = forms.CharField(
        label=_("Test event code"),
        required=False,
        max_length=100,
        help_text=_("Only for tests: the same pixel → Test events → TEST…"),
    )
    custom_events = forms.BooleanField(
        required=False,
        label=_("Custom events"),
        help_text=_(
            "Also send events that are not standard events of TikTok, under their own names."
        ),
    )
    default_country = DefaultCountryField()
    denied = DeniedField()
    limited_data_use = LimitedUseField()
