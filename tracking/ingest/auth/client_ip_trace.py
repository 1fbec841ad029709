"""How `client_ip.client_ip` finds the client's address, hop by hop, with reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from tracking.ingest.auth.client_ip import clean_ip, is_trusted


@dataclass(frozen=True, slots=True)
class Hop:
    """`address` as it was given; `trusted` if its X-Forwarded-For counts; `is_client` for the
    address that is taken for the client's."""

    address: str
    trusted: bool
    is_client: bool
    why: str


def trace(environ: Mapping[str, Any]) -> list[Hop]:
    """Return the hops from the peer to the client, and the addresses claimed beyond it."""
    return [*walk(environ)]


def walk(environ: Mapping[str, Any]) -> Iterator[Hop]:
    peer: str = environ.get("REMOTE_ADDR") or ""
    shown = peer or _("unix socket")
    hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if not is_trusted(peer) or hops == [""]:
        yield Hop(shown, is_trusted(peer), True, _("The peer of the connection."))
        for hop in reversed(hops):
            if hop:
                yield Hop(hop, False, False, _("Not trusted: the peer is not a trusted proxy."))
        return
    yield Hop(shown, True, False, _("The peer of the connection, a trusted proxy."))
    yield from forwarded(hops)


def forwarded(hops: list[str]) -> Iterator[Hop]:
    """Return the addresses of X-Forwarded-For from right to left."""
    found = False
    for place, hop in reversed([*enumerate(hops)]):
        address = clean_ip(hop)
        if found:
            yield Hop(hop, False, False, _("Not trusted: the client itself may have written it."))
        elif address is None:
            found = True
            yield Hop(hop, False, True, _("Not an IP address, so the client IP is unknown."))
        elif not is_trusted(address):
            found = True
            yield Hop(hop, False, True, _("The first address that is not a trusted proxy."))
        else:
            found = place == 0
            why = _("A trusted proxy, the first of all.") if found else _("A trusted proxy.")
            yield Hop(hop, True, found, why)
