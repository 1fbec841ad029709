"""The frame of our pages of the admin: the console's, unless a theme has one of its own."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.template.loader import get_template
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse

#: What a page of the admin extends that replaces none of Django's.
PLAIN = "admin/base_site.html"


@cache
def is_stock_frame() -> bool:
    """Return whether the admin's frame is Django's own, and not that of a theme."""
    frame: Any = get_template("admin/base.html")
    origin = Path(frame.origin.name)
    return Path(apps.get_app_config("admin").path) in origin.parents


def is_in_console() -> bool:
    """Return whether our pages of the admin have the console's frame: it is routed, and there is no
    theme."""
    return is_routed() and is_stock_frame()


def is_routed() -> bool:
    """Return whether the project has the console, and an admin to sign in to."""
    try:
        reverse("hitstream-console:home")
        reverse("admin:login")
    except NoReverseMatch:
        return False
    return True


def stock_template(names: Any) -> str:
    """Return Django's template that the page replaces: the last choice of a list, or that of the
    same name."""
    name = str(names[-1] if isinstance(names, list | tuple) else names)
    folder, _, file = name.rpartition("/")
    return f"admin/{file}" if folder.startswith("admin") else PLAIN


def set_frame(response: TemplateResponse, here: str) -> None:
    """Put the page, not yet rendered, into its frame; `here` is its place in the navigation."""
    context = {
        "stock_template": stock_template(response.template_name),
        "in_console": is_in_console(),
        "here": here,
    }
    if context["in_console"]:
        # The console's navigation stands where the admin's would be.
        context["is_nav_sidebar_enabled"] = False
    response.context_data = {**(response.context_data or {}), **context}
