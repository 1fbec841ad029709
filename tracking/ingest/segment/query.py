"""A value of the query string, however long that is: Django's own `GET` fails past 1,000 fields."""

from __future__ import annotations

from urllib.parse import parse_qsl

from django.http import HttpRequest


def query_value(request: HttpRequest, name: str) -> str:
    """Return the last value under the name; empty without one."""
    query: str = request.META.get("QUERY_STRING", "")
    return dict(parse_qsl(query, errors="replace")).get(name, "")
