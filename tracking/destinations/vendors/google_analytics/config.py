"""The configuration form of Google Analytics 4."""

from __future__ import annotations

from django import forms

from tracking.destinations.contract.config_form import ConfigForm, SecretField


class GoogleAnalyticsConfig(ConfigForm):
    measurement_id = forms.RegexField(
        label="Measurement ID",
        regex=r"^G-[A-Z0-9]{4,20}$",
        help_text="G-…: Admin → Data collection and modification → Data streams → your web stream.",
    )
    api_secret = SecretField(
        label="API secret",
        help_text="On the same page → Measurement Protocol API secrets → Create.",
    )
    region = forms.ChoiceField(
        choices=[("global", "Global"), ("eu", "European Union")],
        required=False,
        initial="global",
        help_text="European Union: Google collects the data in the EU.",
    )
    consent = forms.ChoiceField(
        choices=[("", "None"), ("granted", "Granted"), ("denied", "Denied")],
        required=False,
        label="Consent without a statement",
        help_text="Consent (ad_user_data, ad_personalization) of hits that state none. None: Google"
        " takes what it knows from the same browser.",
    )
