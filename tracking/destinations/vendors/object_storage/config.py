"""The configuration form of object storage."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HiddenTextarea, HttpUrlField
from tracking.destinations.transport.google_auth import AccountError
from tracking.destinations.vendors.object_storage import stores

FOLDER = "hits/year={year}/month={month}/day={day}"
#: The pattern of one name in the path.
PART = r"([A-Za-z0-9_=.-]|\{(year|month|day|hour)\})+"


class ObjectStorageConfig(ConfigForm):
    # The name of Azure's account is part of its host.
    address_fields = ("service", "access_key")

    service = forms.ChoiceField(
        label=_("Service"),
        choices=[(slug, _(name)) for slug, name in stores.SERVICES.items()],
        help_text=_("The service decides which of the fields below are used."),
    )
    bucket = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        label=_("Bucket"),
        help_text=_(
            "Name of the bucket; Azure: of the container; local folder: its name inside"
            " HITSTREAM_LOCAL_FOLDER."
        ),
    )
    folder = forms.RegexField(
        rf"^{PART}(/{PART})*$",
        label=_("Folder"),
        initial=FOLDER,
        required=False,
        help_text=_(
            "Folder of the files. {year}, {month}, {day} and {hour} are replaced by the time"
            " at which the hits were received, in UTC."
        ),
    )
    format = forms.ChoiceField(
        label=_("Format"),
        choices={"ndjson": _("NDJSON, gzipped"), "parquet": "Parquet"}.items(),
        help_text=_("Both have the same columns. Parquet requires: pip install hitstream[parquet]"),
    )
    batch_size = forms.IntegerField(
        label=_("Hits per file"),
        required=False,
        initial=1_000,
        min_value=1,
        max_value=10_000,
        help_text=_(
            "Maximum number. More hits need more memory: the worker holds twice this number"
            " for each concurrent request."
        ),
    )
    region = forms.RegexField(
        r"^[a-z0-9-]{1,40}$",
        label=_("Region"),
        required=False,
        initial="us-east-1",
        help_text=_("S3: AWS Region of the bucket, as the list of buckets shows it."),
    )
    endpoint = HttpUrlField(
        label=_("Endpoint"),
        required=False,
        help_text=_(
            "S3-compatible storage only: its URL, from the vendor's page on its S3 API."
            " Empty: Amazon."
        ),
    )
    access_key = forms.RegexField(
        r"^[A-Za-z0-9._@/+=-]{1,128}$",
        label=_("Access key"),
        required=False,
        help_text=_(
            "S3: access key ID, in AWS under IAM → Users → your user → Security credentials."
            " Azure: name of the storage account."
        ),
    )
    secret_key = SecretField(
        label=_("Secret key"),
        required=False,
        help_text=_(
            "S3: secret access key, shown once when the access key is created. Azure: key of"
            " the storage account, under Security + networking → Access keys. The key needs"
            " permission to list, read and write."
        ),
    )
    service_account = SecretField(
        label=_("Service account"),
        required=False,
        widget=HiddenTextarea(attrs={"rows": 4, "autocomplete": "off"}),
        help_text=_(
            "GCS: JSON key of a service account: Google Cloud console → IAM & Admin → Service"
            " accounts → your account → Keys."
        ),
    )

    def clean_folder(self) -> str:
        folder: str = self.cleaned_data["folder"]
        if any(set(part) <= {"."} for part in folder.split("/") if part):
            raise ValidationError(_("A folder cannot be named . or .. alone."), code="folder")
        return folder

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for name in stores.NEEDS.get(values.get("service", ""), ()):
            if not values.get(name) and name not in self.stored - self.removed:
                self.add_error(name, _("This service requires it."))
        for name, fault in stores.name_faults(values).items():
            if values.get(name):
                self.add_error(name, _(fault))
        if values.get("service_account"):
            try:
                stores.read_account(values["service_account"])
            except AccountError as error:
                self.add_error("service_account", _(str(error)))
        return values
