"""The environment's variables, read in one way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import overload

from django.core.exceptions import ImproperlyConfigured

#: What stands for a variable that is not set. `make run` names its own servers and keys here.
DEFAULTS: dict[str, str] = {}
#: What the message about a missing variable adds.
HELP = {
    "DATABASE_URL": "postgresql://user@host/database",
    "BROKER_URL": "redis://host:6379/0 or amqp://user@host//",
    "DJANGO_SECRET_KEY": "a long random text, the same on every host",
}
ON = {"1", "true", "yes", "on"}
#: How the address of a broker begins. Valkey is addressed as Redis.
BROKERS = ("redis", "rediss", "redis+socket", "sentinel", "amqp", "amqps", "pyamqp")


def text(name: str, default: str = "") -> str:
    """Return the variable; an empty one counts as not set."""
    return os.environ.get(name) or DEFAULTS.get(name) or default


def flag(name: str, default: str = "") -> bool:
    return text(name, default).lower() in ON


@overload
def number(name: str, default: int, *, least: int | None = None) -> int: ...
@overload
def number(name: str, default: None = None, *, least: int | None = None) -> int | None: ...
def number(name: str, default: int | None = None, *, least: int | None = None) -> int | None:
    """Return the variable as a whole number. Raises ImproperlyConfigured."""
    written = text(name)
    if not written:
        return default
    try:
        found = int(written)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {written!r}") from None
    if least is not None and found < least:
        raise ImproperlyConfigured(f"{name} must be {least} or more, not {found}")
    return found


def listed(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def secret(name: str) -> str:
    """Return the variable, or what is in the file that the variable NAME_FILE names, without white
    space around it. Raises ImproperlyConfigured."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return text(name)
    if os.environ.get(name):
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: set one of them")
    try:
        written = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {reason}") from None
    if not written:
        raise ImproperlyConfigured(f"{name}_FILE: {path} is empty")
    return written


def needed(name: str) -> str:
    """Return a secret without which nothing starts. Raises ImproperlyConfigured."""
    found = secret(name)
    if not found:
        raise ImproperlyConfigured(f"{name} is not set: set it, or {name}_FILE, to {HELP[name]}")
    return found


def broker_address(url: str) -> str:
    """Return the address of a broker. Raises ImproperlyConfigured where it is none, and does not
    repeat it: it may hold a password."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in BROKERS:
        raise ImproperlyConfigured(f"BROKER_URL must be {HELP['BROKER_URL']}")
    return url
