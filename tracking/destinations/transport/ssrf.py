"""The guard against server-side request forgery: an address to connect to in, a socket or an
AddressRefusedError out.

The check happens between the name look-up and the connection, so neither a name that changes its
address (DNS rebinding) nor an unusual spelling of an address can bypass it. Source: IANA's IPv4 and
IPv6 Special-Purpose Address Registries.
"""

from __future__ import annotations

import socket
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from tracking.conf import conf

V4_REFUSED = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; some clouds keep their metadata here
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # looks public, but is Azure's platform inside every virtual machine
        "169.254.0.0/16",  # link-local; most clouds keep their metadata here
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)

#: This network contains all public IPv6 addresses; loopback, unspecified, mapped IPv4, NAT64,
#: unique local, link-local, site-local and multicast addresses are outside.
V6_GLOBAL = IPv6Network("2000::/3")
V6_REFUSED = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries an IPv4 address
        "3fff::/20",  # documentation
    )
)


class AddressRefusedError(OSError):
    """The address is not public."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"The address {address} is private or reserved. Hitstream calls only public addresses"
            " unless the deployment sets HITSTREAM_ALLOW_PRIVATE_DESTINATIONS."
        )


def is_public(address: str) -> bool:
    """Return whether the text is a public address in canonical spelling."""
    text = address.partition("%")[0]
    try:
        if ":" in text:
            v6 = IPv6Address(text)
            return v6 in V6_GLOBAL and not any(v6 in network for network in V6_REFUSED)
        v4 = IPv4Address(text)
        return not any(v4 in network for network in V4_REFUSED)
    except AddressValueError:
        return False


def check(address: str) -> None:
    """Raise AddressRefusedError unless the address may be called."""
    if not conf.ALLOW_PRIVATE_DESTINATIONS and not is_public(address):
        raise AddressRefusedError(address)


def open_socket(target: tuple[Any, ...]) -> socket.socket:
    """Return a socket for the address in `target` (as from getaddrinfo). Raises
    AddressRefusedError."""
    family, kind, protocol, _, where = target
    check(str(where[0]))
    return socket.socket(family, kind, protocol)


class PublicResolver(AbstractResolver):
    """A resolver that leaves out refused addresses of a name, so that the allowed ones are tried,
    and the error is clear if there are none. `open_socket` is what keeps private addresses out."""

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        results = await self._resolver.resolve(host, port, family)
        refusal: AddressRefusedError | None = None
        allowed = []
        for result in results:
            try:
                check(result["host"])
                allowed.append(result)
            except AddressRefusedError as error:
                refusal = refusal or error
        if refusal and not allowed:
            raise refusal
        return allowed

    async def close(self) -> None:
        await self._resolver.close()
