"""The configuration form of BigQuery."""

from __future__ import annotations

from django import forms

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HiddenTextarea
from tracking.destinations.transport.google_auth import AccountError, read_account


class BigQueryConfig(ConfigForm):
    service_account = SecretField(
        widget=HiddenTextarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
        help_text="The JSON key of a service account, in the Google Cloud console under IAM &"
        " Admin, Service accounts, the account, Keys. It needs the role BigQuery Data Editor on the"
        " dataset.",
    )
    project = forms.RegexField(
        r"^[a-z0-9.:-]{4,100}$",
        help_text="The project's id, not its name: in the console's list of projects.",
    )
    dataset = forms.RegexField(
        r"^[A-Za-z0-9_]{1,1024}$",
        help_text="The dataset's name, in BigQuery's Explorer under the project. It must exist.",
    )
    table = forms.RegexField(
        r"^[A-Za-z0-9_-]{1,200}$",
        required=False,
        initial="hits",
        help_text="Made with the first hit, partitioned by the day of receivedAt.",
    )

    def clean_service_account(self) -> str:
        text: str = self.cleaned_data["service_account"]
        if text:
            try:
                read_account(text)
            except AccountError as error:
                raise forms.ValidationError(str(error)) from None
        return text
