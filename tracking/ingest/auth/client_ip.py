"""The address of the client, from the connection and from trusted proxies.

X-Forwarded-For is read from right to left, as long as each address is a trusted proxy's. The first
other address is the client's; the client itself may have written everything left of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from tracking.conf import conf
from tracking.ingest.auth.authentication import TokenAccess
from tracking.ingest.parse.arrival import ClientInfo
from tracking.models.tokens.privacy import apply_ip_policy

MAX_USER_AGENT = 512
#: In TRUSTED_PROXIES: every peer of the server's unix socket.
UNIX = "unix"


def client_of(
    environ: Mapping[str, Any], opened: TokenAccess, *, ip_policy: str = ""
) -> ClientInfo:
    """Return the client, its address reduced by the token's IP policy, or by a stricter one if
    given."""
    policy = ip_policy or opened.ip_policy
    return ClientInfo(
        token_id=opened.token_id,
        ip=apply_ip_policy(policy, client_ip(environ)),
        user_agent=user_agent_of(environ),
        ip_policy=policy,
    )


def user_agent_of(environ: Mapping[str, Any]) -> str:
    """Return the user agent. Its bytes, which WSGI carries as latin-1 characters, are read as
    UTF-8; what is none is replaced."""
    found: str = environ.get("HTTP_USER_AGENT", "")
    if not found.isascii():
        with suppress(UnicodeEncodeError):  # The server has decoded it.
            found = found.encode("latin-1").decode("utf-8", "replace")
    return found[:MAX_USER_AGENT]


def client_ip(environ: Mapping[str, Any]) -> str | None:
    """Return the address of the client, None if it is unknown."""
    peer: str = environ.get("REMOTE_ADDR") or ""
    if not is_trusted(peer):
        return clean_ip(peer)
    hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if hops == [""]:
        return clean_ip(peer)
    for hop in reversed(hops):
        address = clean_ip(hop)
        if address is None or not is_trusted(address):
            return address
    return clean_ip(hops[0])


def is_trusted(peer: str) -> bool:
    """Return whether the peer's X-Forwarded-For counts. A unix socket's peer has no address."""
    proxies = conf.TRUSTED_PROXIES
    return bool(proxies) and _is_in(peer, tuple(proxies))


@lru_cache(maxsize=1000)
def _is_in(peer: str, proxies: Sequence[str]) -> bool:
    address = clean_ip(peer)
    if address is None:
        return not peer and UNIX in proxies
    networks = [network_of(proxy) for proxy in proxies if proxy != UNIX]
    return any(ip_address(address) in network for network in networks)


def network_of(proxy: str) -> IPv4Network | IPv6Network:
    """Return the network. Raises ValueError for a text that is neither an address nor a network."""
    return ip_network(proxy, strict=False)


@lru_cache(maxsize=10_000)
def clean_ip(address: str) -> str | None:
    """Return the address as Postgres takes it: no port, no zone, IPv4 out of IPv6; None without
    one."""
    host = address.partition("%")[0]
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        parsed = ip_address(host)
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)
