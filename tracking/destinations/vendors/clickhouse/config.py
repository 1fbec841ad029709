"""The configuration form of ClickHouse, and the statement that creates its table."""

from __future__ import annotations

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HttpUrlField
from tracking.destinations.spec.rows import COLUMNS, TIMES

NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,100}$"
TYPES = {
    **dict.fromkeys(COLUMNS, "String"),
    **dict.fromkeys(TIMES, "DateTime64(6, 'UTC')"),
    "id": "UUID",
    "type": "LowCardinality(String)",
    "ip": "Nullable(String)",
}
DDL = (
    f"CREATE TABLE hits ({', '.join(f'{name} {type}' for name, type in TYPES.items())})"
    " ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(received_at)"
    " ORDER BY (toDate(received_at), id) SETTINGS non_replicated_deduplication_window = 1000"
)


class ClickHouseConfig(ConfigForm):
    url = HttpUrlField(
        label=_("URL"),
        help_text=_(
            "URL of the HTTP interface, such as https://clickhouse.example:8443. ClickHouse"
            " Cloud: your service → Connect → HTTPS."
        ),
    )
    user = forms.CharField(
        label=_("User"),
        max_length=200,
        required=False,
        initial="default",
        help_text=_(
            "ClickHouse Cloud: in the same place. Else a user of CREATE USER or users.xml."
        ),
    )
    password = SecretField(
        label=_("Password"),
        required=False,
        help_text=_("Its password. ClickHouse Cloud: your service → Settings → Reset password."),
    )
    database = forms.RegexField(
        NAME,
        label=_("Database"),
        required=False,
        initial="default",
        help_text=_("Database of the table. SHOW DATABASES lists them."),
    )
    table = forms.RegexField(
        NAME,
        label=_("Table"),
        required=False,
        initial="hits",
        help_text=format_lazy(_("Create it by {ddl} and GRANT INSERT on it to the user."), ddl=DDL),
    )
    batch_size = forms.IntegerField(
        label=_("Hits per insert"),
        required=False,
        initial=1_000,
        min_value=1,
        max_value=10_000,
        help_text=_("Maximum number. ClickHouse works best with few large inserts."),
    )
