"""The configuration form of object storage."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HiddenTextarea, HttpUrlField
from tracking.destinations.transport.google_auth import AccountError
from tracking.destinations.vendors.object_storage import stores

FOLDER = "hits/year={year}/month={month}/day={day}"
#: The pattern of one name in the path.
PART = r"([A-Za-z0-9_=.-]|\{(year|month|day|hour)\})+"


class ObjectStorageConfig(ConfigForm):
    service = forms.ChoiceField(
        choices=stores.SERVICES.items(), help_text="Which of the fields below count."
    )
    bucket = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        help_text="The bucket's or, of Azure, the container's name. Of a local folder: its name"
        " under the folder that the deployment sets.",
    )
    folder = forms.RegexField(
        rf"^{PART}(/{PART})*$",
        initial=FOLDER,
        required=False,
        help_text="The files' folder; {year}, {month}, {day} and {hour} are of the time at which"
        " the hits were received, in UTC.",
    )
    format = forms.ChoiceField(
        choices={"ndjson": "NDJSON, gzipped", "parquet": "Parquet"}.items(),
        help_text="Of the same columns. Parquet needs: pip install hitstream[parquet]",
    )
    batch_size = forms.IntegerField(
        label="Hits a file",
        required=False,
        initial=1_000,
        min_value=1,
        max_value=10_000,
        help_text="At the most. Many at once cost memory: the worker holds that many for each of"
        " the requests at once, twice.",
    )
    region = forms.RegexField(
        r"^[a-z0-9-]{1,40}$",
        required=False,
        initial="us-east-1",
        help_text="S3: the bucket's AWS Region, as S3's list of buckets shows it.",
    )
    endpoint = HttpUrlField(
        required=False,
        help_text="S3-compatible storage only: its address, as its vendor's page on the S3 API"
        " tells it. Empty: Amazon.",
    )
    access_key = forms.RegexField(
        r"^[A-Za-z0-9._@/+=-]{1,128}$",
        required=False,
        help_text="S3: the access key ID, in AWS under IAM, Users, the user, Security credentials."
        " Azure: the storage account's name.",
    )
    secret_key = SecretField(
        required=False,
        help_text="S3: the secret access key, shown once when the access key is made. Azure: a key"
        " of the storage account, under Security + networking, Access keys. The key must be allowed"
        " to list, read and write.",
    )
    service_account = SecretField(
        required=False,
        widget=HiddenTextarea(attrs={"rows": 4, "autocomplete": "off"}),
        help_text="GCS: the JSON key of a service account, in the Google Cloud console under IAM &"
        " Admin, Service accounts, the account, Keys.",
    )

    def clean_folder(self) -> str:
        folder: str = self.cleaned_data["folder"]
        if any(set(part) <= {"."} for part in folder.split("/") if part):
            raise ValidationError("A folder needs a name.", code="folder")
        return folder

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for name in stores.NEEDS.get(values.get("service", ""), ()):
            if not values.get(name) and name not in self.stored - self.removed:
                self.add_error(name, "This service needs it.")
        if values.get("service_account"):
            try:
                stores.read_account(values["service_account"])
            except AccountError as error:
                self.add_error("service_account", str(error))
        return values
