"""Sign-in to the admin and the console: guesses are counted, and few passwords are checked at once.

Checking a password takes a core a good part of a second, which ingest then lacks. So attempts are
counted before the password is checked, and a process checks only CONCURRENT of them at once. The
counts are in Django's cache: shared by all processes where that is Valkey or Redis.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_network
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from tracking.ingest.auth.client_ip import client_ip

#: Seconds for which attempts are counted.
WINDOW = 300
#: Attempts in the window: of a user name from one address, of one address, of a user name.
MOST_OF_PAIR, MOST_OF_ADDRESS, MOST_OF_NAME = 5, 30, 100
#: Passwords that one process checks at once, and seconds to wait for one's turn.
CONCURRENT = 1
TURN_SECONDS = 2.0

_turns = threading.BoundedSemaphore(CONCURRENT)


class SignInForm(AdminAuthenticationForm):
    """The admin's form, within the limits above."""

    error_messages = {  # noqa: RUF012 (Django's own form)
        **AdminAuthenticationForm.error_messages,
        "invalid_login": _(
            "The user name or the password is wrong, or the user is not staff. Upper and lower case"
            " differ."
        ),
    }

    def clean(self) -> dict[str, Any]:
        name = str(self.cleaned_data.get("username") or "")
        if not name or not self.cleaned_data.get("password"):
            return super().clean()
        assert self.request is not None
        keys = keys_of(self.request, name)
        if any(count(key) > most for key, most in keys.items()):
            raise ValidationError(
                ngettext_lazy(
                    "There were too many attempts to sign in: wait %(minutes)s minute.",
                    "There were too many attempts to sign in: wait %(minutes)s minutes.",
                    "minutes",
                ),
                code="throttled",
                params={"minutes": WINDOW // 60},
            )
        with turn():
            cleaned: dict[str, Any] = super().clean()
        succeed([*keys])
        return cleaned


@contextmanager
def turn() -> Iterator[None]:
    """Wait for one's turn. Raises ValidationError."""
    if not _turns.acquire(timeout=TURN_SECONDS):
        raise ValidationError(_("Too many people sign in at once: try it again."), code="busy")
    try:
        yield
    finally:
        _turns.release()


def keys_of(request: HttpRequest, name: str) -> dict[str, int]:
    """Return the keys under which the attempt is counted, each with the most attempts."""
    address = network_of(client_ip(request.META))
    return {
        key("pair", name.lower(), address): MOST_OF_PAIR,
        key("address", address): MOST_OF_ADDRESS,
        key("name", name.lower()): MOST_OF_NAME,
    }


def key(*parts: str) -> str:
    digest = hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()
    return f"hitstream.sign_in.{digest}"


def network_of(address: str | None) -> str:
    """Return what one client commands: its IPv4 address, or the 64 bits of its IPv6 network."""
    if address is None or ":" not in address:
        return address or "unknown"
    return str(ip_network(f"{address}/64", strict=False))


def count(key: str) -> int:
    """Count an attempt. Returns how many there were in the window, this one included; 0 without a
    cache."""
    with suppress(Exception):  # Whatever a cache that is away raises: people can still sign in.
        cache.add(key, 0, WINDOW)
        return int(cache.incr(key))
    return 0


def succeed(keys: Sequence[str]) -> None:
    """Forget the attempts of the pair; the others lose only the one that succeeded."""
    pair, *others = keys
    with suppress(Exception):
        cache.delete(pair)
        for each in others:
            cache.decr(each)
