"""The configuration form of BigQuery."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HiddenTextarea
from tracking.destinations.transport.google_auth import AccountError, read_account


class BigQueryConfig(ConfigForm):
    service_account = SecretField(
        label=_("Service account"),
        widget=HiddenTextarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "JSON key of a service account: Google Cloud console → IAM & Admin → Service"
            " accounts → your account → Keys. The account needs the role BigQuery Data Editor on"
            " the dataset."
        ),
    )
    project = forms.RegexField(
        r"^[a-z0-9.:-]{4,100}$",
        label=_("Project"),
        help_text=_("Id of the project, not its name: in the list of projects of the console."),
    )
    dataset = forms.RegexField(
        r"^[A-Za-z0-9_]{1,1024}$",
        label=_("Dataset"),
        help_text=_("Name of an existing dataset: in BigQuery's Explorer under the project."),
    )
    table = forms.RegexField(
        r"^[A-Za-z0-9_-]{1,200}$",
        label=_("Table"),
        required=False,
        initial="hits",
        help_text=_("Created with the first hit, partitioned by the day of receivedAt."),
    )

    def clean_service_account(self) -> str:
        text: str = self.cleaned_data["service_account"]
        if text:
            try:
                read_account(text)
            except AccountError as error:
                raise forms.ValidationError(_(str(error))) from None
        return text
