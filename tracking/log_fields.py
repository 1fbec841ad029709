"""The fields of records about hits, for `extra=`: JSON logs have them beside the message."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any
from uuid import UUID

#: Of a longer list the first ones are enough to find the others.
MOST = 10
NAMES = ("request_ids", "hit_ids", "integration", "token", "status")


def log_fields(
    *,
    hits: Iterable[UUID] = (),
    requests: Iterable[str] = (),
    integration: int | None = None,
    tokens: Iterable[int] = (),
    status: int | None = None,
) -> dict[str, Any]:
    """Return the fields that are known. `token` is the number of the token if there is only one."""
    distinct = set(tokens)
    fields = {
        "request_ids": list(islice(dict.fromkeys(requests), MOST)),
        "hit_ids": [str(hit) for hit in islice(hits, MOST)],
        "integration": integration,
        "token": distinct.pop() if len(distinct) == 1 else None,
        "status": status,
    }
    return {name: value for name, value in fields.items() if value not in (None, [])}
