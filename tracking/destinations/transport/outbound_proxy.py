"""The proxy through which a deployment lets requests out, if it names one in `OUTBOUND_PROXY`.

The proxy resolves names, so it decides which addresses they may have: Hitstream refuses only what
is private by its spelling. Client libraries reach it through the relay, in tunnels: RFC 9110,
section 9.3.6 (CONNECT).
"""

from __future__ import annotations

import asyncio
import base64
import socket
from urllib.parse import unquote, urlsplit

from tracking.conf import conf
from tracking.destinations.transport.ssrf import AddressRefusedError, check

#: Bytes of the head of the proxy's answer, at most.
HEAD_LIMIT = 16_384
#: Characters of its status in an error message, at most.
WORDS_LIMIT = 100


class ProxyRefusedError(OSError):
    """The proxy opens no tunnel."""

    def __init__(self, status: str) -> None:
        super().__init__(f"The outbound proxy answered {status[:WORDS_LIMIT]}.")


def is_valid(url: str) -> bool:
    """Return whether the text is the URL of an HTTP proxy."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    rest = (parts.path.strip("/"), parts.query, parts.fragment)
    return parts.scheme == "http" and bool(parts.hostname) and port != 0 and not any(rest)


def check_name(host: str) -> None:
    """Raise AddressRefusedError if the host is a private address in any spelling, or this machine
    by name."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        if not conf.ALLOW_PRIVATE_DESTINATIONS:
            raise AddressRefusedError(name)
    elif ":" in name:
        check(name)
    else:
        try:
            address = socket.inet_ntoa(socket.inet_aton(name))
        except OSError:
            return
        check(address)


async def open_tunnel(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the host through the proxy. Raises OSError, AddressRefusedError or
    ProxyRefusedError."""
    check_name(host)
    proxy = urlsplit(conf.OUTBOUND_PROXY)
    reader, writer = await asyncio.open_connection(
        proxy.hostname, proxy.port or 80, limit=HEAD_LIMIT
    )
    try:
        writer.write(_request(host, port, unquote(proxy.username or ""), proxy.password))
        head = await reader.readuntil(b"\r\n\r\n")
        status = head.split(b"\r\n", 1)[0].decode("ascii", "replace").partition(" ")[2]
        if not status.startswith("2"):
            raise ProxyRefusedError(status)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        writer.close()
        raise ProxyRefusedError("nothing that is HTTP") from error
    except BaseException:
        writer.close()
        raise
    return reader, writer


def _request(host: str, port: int, user: str, password: str | None) -> bytes:
    place = f"[{host}]:{port}" if ":" in host else f"{host.encode('idna').decode()}:{port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if user:
        credentials = base64.b64encode(f"{user}:{unquote(password or '')}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {credentials}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
