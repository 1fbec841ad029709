"""What a query says, however much else it says: Django's own `GET` fails past a thousand fields."""

from __future__ import annotations

from urllib.parse import parse_qsl

from django.http import HttpRequest


def asked(request: HttpRequest, name: str) -> str:
    """The value under the name, the last of several; empty without one."""
    query: str = request.META.get("QUERY_STRING", "")
    return dict(parse_qsl(query, errors="replace")).get(name, "")
