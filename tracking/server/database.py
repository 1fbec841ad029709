"""The entry of Django's DATABASES, from a URL in libpq's form."""

from __future__ import annotations

import os
import re

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

#: The variable in which the command `hitstream` tells its processes what they are.
ROLE = "HITSTREAM_ROLE"
SCHEMES = ("postgresql://", "postgres://")
#: Where a connection goes; all else is an option of it.
NAMED = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
OPTIONS: dict[str, object] = {
    "connect_timeout": 2,
    # A server that is gone without a word is taken for lost after half a minute.
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


def role_of_this_process() -> str:
    """Return what Postgres shows in pg_stat_activity: hitstream-web, -worker, -beat, -migrate."""
    role = os.environ.get(ROLE)
    return f"hitstream-{role}" if role else "hitstream"


def settings_of(
    url: str,
    application_name: str,
    *,
    pool: int | None,
    variable: str = "DATABASE_URL",
    hosts: str = "read-write",
) -> dict[str, object]:
    """Return the entry for the URL of this variable. Several hosts are separated by commas, each
    with its port; the first that matches `hosts`, a value of libpq's target_session_attrs, is used.
    Raises ImproperlyConfigured with the reason, which holds no password."""
    given = parsed(url, variable)
    if "," in given.get("host", ""):
        given.setdefault("target_session_attrs", hosts)
    if "PGAPPNAME" not in os.environ:
        given.setdefault("application_name", application_name)
    if not given.get("dbname"):
        raise ImproperlyConfigured(f"{variable} names no database: end it with /database")
    if not pool or pool < 1:
        raise ImproperlyConfigured(f"HITSTREAM_POOL must be 1 or more, not {pool}")
    return {
        "ENGINE": "django.db.backends.postgresql",
        **{key: given.pop(name, "") for name, key in NAMED.items()},
        "OPTIONS": {
            **OPTIONS,
            **given,
            "pool": {"min_size": 0, "max_size": pool, "timeout": 2},
        },
        # Through a pooler, a cursor on the server is gone with its transaction.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        # Without the check, requests fail after a restart of Postgres until the pool is emptied.
        "CONN_HEALTH_CHECKS": True,
    }


def parsed(url: str, variable: str = "DATABASE_URL") -> dict[str, str]:
    """Return the parameters in a URL, as libpq reads it. Raises ImproperlyConfigured."""
    if not url.startswith(SCHEMES):
        scheme, separator, _ = url.partition("://")
        found = f"{scheme}://" if separator and re.fullmatch(r"[A-Za-z0-9+.-]+", scheme) else ""
        raise ImproperlyConfigured(
            f"{variable} must begin with postgresql://"
            + (f", not with {found}" if found else ": postgresql://user@host/database")
        )
    try:
        return {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except ProgrammingError as error:
        reason = str(error).strip()
        if not reason.startswith("invalid URI query parameter"):
            # Libpq quotes the part that it cannot read, which may hold the password.
            reason = re.sub(r'"[^"]*"', "a part of it", reason.replace(url, "the URL"))
        raise ImproperlyConfigured(
            f"{variable} cannot be read: {reason}. Write special characters of a password or an "
            "option in percent code: @ is %40, = is %3D"
        ) from None
