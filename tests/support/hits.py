"""A small hit, and what a client that sends it needs."""

import base64
from collections.abc import Callable
from typing import Any

Answer = Any
Send = Callable[..., Answer]


def basic(username: str, password: str = "") -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def hit(**changes: Any) -> dict[str, Any]:
    """A small valid hit."""
    return {"event": {"name": "Registered", "user": {"userId": "u1"}}, **changes}
