"""The refusal of a page, which names the permissions that the user lacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import ngettext


def denied(user: Any, permissions: Iterable[str]) -> PermissionDenied:
    """Return the error for a page that takes these permissions, without a text if the user has them
    all."""
    missing = [name for name in permissions if not user.has_perm(name)]
    if not missing:
        return PermissionDenied()
    text = ngettext(
        "The page takes a permission that you lack: %(names)s.",
        "The page takes permissions that you lack: %(names)s.",
        len(missing),
    )
    return PermissionDenied(text % {"names": ", ".join(missing)})
