"""The configuration form of PostgreSQL, the statement that creates its table, and the rights that
it needs.
"""

from __future__ import annotations

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HostField
from tracking.exceptions import SetupError

TYPES = {
    "id": "uuid PRIMARY KEY",
    **dict.fromkeys(("hit_id", "type", "name"), "text NOT NULL"),
    **dict.fromkeys(("user_id", "anonymous_id", "email_hash"), "text NOT NULL"),
    **dict.fromkeys(("sent_at", "received_at", "occurred_at"), "timestamptz NOT NULL"),
    "ip": "inet",
    "user_agent": "text NOT NULL",
    "payload": "jsonb NOT NULL",
}
DDL = ", ".join(f"{name} {type}" for name, type in TYPES.items())


class PostgreSQLConfig(ConfigForm):
    address_fields = ("port", "sslmode")

    host = HostField(
        label=_("Host"),
        help_text=_(
            "Name or address of the server, from the provider's page on connections, or after"
            " `host=` in your connection string."
        ),
    )
    port = forms.IntegerField(
        label=_("Port"),
        required=False,
        initial=5432,
        min_value=1,
        max_value=65_535,
        help_text=_("Port of the server."),
    )
    database = forms.CharField(
        label=_("Database"),
        max_length=63,
        help_text=_("Name of the database. \\l in psql lists them."),
    )
    user = forms.CharField(
        label=_("User"),
        max_length=63,
        help_text=_("A role for this integration only. \\du in psql lists roles."),
    )
    password = SecretField(label=_("Password"), help_text=_("Password of the role."))
    sslmode = forms.ChoiceField(
        label=_("Encryption"),
        choices={
            "verify-full": _("Encrypted, certificate checked"),
            "require": _("Encrypted"),
            "prefer": _("Encrypted if the server supports it"),
        }.items(),
        help_text=_("Whether the connection is encrypted and the server must prove its identity."),
    )
    schema = forms.CharField(
        label=_("Schema"),
        max_length=63,
        required=False,
        initial="public",
        help_text=_("Existing schema of the table."),
    )
    table = forms.CharField(
        label=_("Table"),
        max_length=63,
        required=False,
        initial="hits",
        help_text=format_lazy(
            _(
                "Created with the first hit if the role may: CREATE TABLE hits ({columns})."
                " Otherwise create it and GRANT SELECT, INSERT on it. The role also needs TEMPORARY"
                " on the database."
            ),
            columns=DDL,
        ),
    )
    batch_size = forms.IntegerField(
        label=_("Hits per transaction"),
        required=False,
        initial=500,
        min_value=1,
        max_value=5_000,
        help_text=_("Maximum number."),
    )


#: Whether the table exists and may be filled, or may be created; and whether temporary tables may.
RIGHTS = """
    SELECT to_regclass(%(table)s) IS NOT NULL,
           coalesce(has_table_privilege(to_regclass(%(table)s), 'INSERT'), false)
               AND coalesce(has_table_privilege(to_regclass(%(table)s), 'SELECT'), false),
           coalesce(
               has_schema_privilege(to_regnamespace(quote_ident(%(schema)s)), 'CREATE'), false
           ),
           has_database_privilege(current_database(), 'TEMPORARY')
"""


def judge(exists: bool, writable: bool, creatable: bool, temporary: bool, *, table: str) -> str:
    """Return a sentence for the operator. Raises SetupError if the role lacks a right."""
    if not temporary:
        raise SetupError(gettext("The role lacks TEMPORARY on this database."))
    if exists and not writable:
        raise SetupError(
            gettext("The role lacks SELECT or INSERT on %(table)s.") % {"table": table}
        )
    if not exists and not creatable:
        raise SetupError(
            gettext("%(table)s does not exist, and the role lacks CREATE on the schema.")
            % {"table": table}
        )
    if exists:
        return gettext("%(table)s exists.") % {"table": table}
    return gettext("%(table)s is created with the first hit.") % {"table": table}
