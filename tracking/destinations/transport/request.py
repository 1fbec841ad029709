"""A request to a vendor, before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request to a vendor.

    The record of the attempt masks the values of `secret_headers` and of the URL's `secret_query`
    parameters, and each of `secrets` at every place.
    """

    url: str
    body: bytes = field(repr=False)
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_headers: frozenset[str] = frozenset()
    secret_query: frozenset[str] = frozenset()
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
