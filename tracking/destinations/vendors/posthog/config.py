"""The configuration form of PostHog."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HttpUrlField


class PostHogConfig(ConfigForm):
    api_key = SecretField(
        label=_("Project API key"),
        help_text=_("phc_…: Settings → Project → General → Project API key."),
    )
    region = forms.ChoiceField(
        label=_("Region"),
        choices=[("us", _("US Cloud")), ("eu", _("EU Cloud"))],
        required=False,
        initial="us",
        help_text=_("Settings → Project → General → Region."),
    )
    url = HttpUrlField(
        label=_("Own host"),
        required=False,
        help_text=_(
            "Only for a self-hosted PostHog: its URL, such as https://posthog.example.com. It"
            " replaces the region."
        ),
    )
    group_type = forms.CharField(
        label=_("Group type"),
        required=False,
        initial="company",
        max_length=400,
        help_text=_(
            "Type of the groups: Settings → Project → Product analytics → Group analytics."
        ),
    )
