"""The table that PostgreSQL keeps hits in, and what a role needs to fill it."""

from __future__ import annotations

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
#: Whether the table is there and may be filled, or may be made; and temporary ones.
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
    """Raises SetupError where the role may not do what is needed."""
    if not temporary:
        raise SetupError("The role may make no temporary tables in this database.")
    if exists and not writable:
        raise SetupError(f"The role lacks SELECT or INSERT on {table}.")
    if not exists and not creatable:
        raise SetupError(f"There is no {table}, and the role may not make it in this schema.")
    return f"{table} is there." if exists else f"{table} will be made with the first hit."
