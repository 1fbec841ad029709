"""The configuration form of PostgreSQL, the statement that creates its table, and the rights that
it needs.
"""

from __future__ import annotations

from django import forms

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
    host = HostField(
        help_text="The server's name or address, as the provider's page on connecting tells it, or"
        " after `host=` of your connection string."
    )
    port = forms.IntegerField(
        required=False, initial=5432, min_value=1, max_value=65_535, help_text="The server's port."
    )
    database = forms.CharField(max_length=63, help_text="The database's name; psql shows it by \\l")
    user = forms.CharField(
        max_length=63, help_text="A role of this integration's own; psql lists roles by \\du"
    )
    password = SecretField(help_text="The role's password.")
    sslmode = forms.ChoiceField(
        label="Encryption",
        choices={
            "verify-full": "Encrypted, with a certificate that is checked",
            "require": "Encrypted",
            "prefer": "Encrypted if the server can",
        }.items(),
        help_text="Whether the server has to prove who it is.",
    )
    schema = forms.CharField(
        max_length=63,
        required=False,
        initial="public",
        help_text="The table's schema; it must exist.",
    )
    table = forms.CharField(
        max_length=63,
        required=False,
        initial="hits",
        help_text=f"Made with the first hit, if the role may: CREATE TABLE hits ({DDL}). Else make"
        " it and GRANT SELECT, INSERT on it. The role also needs TEMPORARY on the database.",
    )
    batch_size = forms.IntegerField(
        label="Hits a transaction",
        required=False,
        initial=500,
        min_value=1,
        max_value=5_000,
        help_text="At the most.",
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
        raise SetupError("The role may make no temporary tables in this database.")
    if exists and not writable:
        raise SetupError(f"The role lacks SELECT or INSERT on {table}.")
    if not exists and not creatable:
        raise SetupError(f"There is no {table}, and the role may not make it in this schema.")
    return f"{table} is there." if exists else f"{table} will be made with the first hit."
