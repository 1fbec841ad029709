"""The configuration form of Mixpanel."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField


class MixpanelConfig(ConfigForm):
    project_token = SecretField(
        label=_("Project token"),
        help_text=_("Settings → Project settings → Overview → Access keys → Project token."),
    )
    region = forms.ChoiceField(
        label=_("Region"),
        choices=[("us", _("United States")), ("eu", _("European Union")), ("in", _("India"))],
        required=False,
        initial="us",
        help_text=_("Settings → Project settings → Overview → Data residency."),
    )
