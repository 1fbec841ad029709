"""A token's rules for its senders: the sites that may send, and what is kept of IP addresses."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from ipaddress import IPv4Address, ip_address, ip_network

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

ORIGIN = re.compile(
    r"[a-z][a-z0-9+.-]*://(\*\.)?[a-z0-9._-]+(:[0-9]{1,5})?|[a-z]+://\[[0-9a-f:]+\](:[0-9]{1,5})?"
)
#: Bits of an address that anonymising keeps: the network of a provider's customers.
PREFIXES = {4: 24, 6: 48}


class IpPolicy(models.TextChoices):
    KEEP = "keep", _("stored")
    ANONYMISE = "anonymise", _("anonymised (IPv4 to /24, IPv6 to /48)")
    DROP = "drop", _("dropped")


def check_origin(origin: str) -> None:
    """Raise ValidationError unless a browser could send this as its Origin, or a `*.` before it."""
    if not ORIGIN.fullmatch(origin):
        raise ValidationError(
            _(
                "An origin is a scheme and a host in lower case, with a port if it is not the "
                "usual one, and no path: https://shop.example."
            ),
            code="origin",
        )


def random_path() -> str:
    """Return a path that no blocker lists and that reads like no word."""
    return "".join(secrets.choice("bcdfghjkmnpqrstvwxz23456789") for _ in range(10))


def allows_origin(origins: Iterable[str], origin: str) -> bool:
    """Return whether the list holds the origin, or `scheme://*.` and the end of its host."""
    scheme, _, host = origin.lower().partition("://")
    for allowed in origins:
        wanted_scheme, _, wanted = allowed.partition("://")
        if scheme != wanted_scheme:
            continue
        if host == wanted or (wanted.startswith("*.") and host.endswith(wanted[1:])):
            return True
    return False


def apply_ip_policy(policy: str, address: str | None) -> str | None:
    """Return what may be kept of the address."""
    if address is None or policy == IpPolicy.DROP:
        return None
    if policy == IpPolicy.KEEP:
        return address
    parsed = ip_address(address)
    version = 4 if isinstance(parsed, IPv4Address) else 6
    return str(ip_network(f"{address}/{PREFIXES[version]}", strict=False).network_address)
