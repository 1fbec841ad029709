"""The configuration form of Google Analytics 4."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField


class GoogleAnalyticsConfig(ConfigForm):
    measurement_id = forms.RegexField(
        label=_("Measurement ID"),
        regex=r"^G-[A-Z0-9]{4,20}$",
        help_text=_(
            "G-…: Admin → Data collection and modification → Data streams → your web stream."
        ),
    )
    api_secret = SecretField(
        label=_("API secret"),
        help_text=_("On the same page → Measurement Protocol API secrets → Create."),
    )
    region = forms.ChoiceField(
        label=_("Region"),
        choices=[("global", _("Global")), ("eu", _("European Union"))],
        required=False,
        initial="global",
        help_text=_("European Union: Google collects the data in the EU."),
    )
    consent = forms.ChoiceField(
        choices=[("", _("None")), ("granted", _("Granted")), ("denied", _("Denied"))],
        required=False,
        label=_("Consent without a statement"),
        help_text=_(
            "Consent (ad_user_data, ad_personalization) of hits that state none. None: Google"
            " takes what it knows from the same browser."
        ),
    )
