"""The Content-Security-Policy of the console and of our admin pages."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.template.loader import get_template

#: Nothing from another site, nothing inline. The stock admin's icons are data: URLs.
DIRECTIVES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
#: What themes of the admin need beside it: scripts in attributes, which are evaluated, and styles.
THEMED = {
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
}


def policy(directives: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in directives.items())


CSP = policy(DIRECTIVES)


@cache
def admin_csp() -> str:
    """Return the policy of our admin pages: a theme that replaces the frame of Django's admin may
    use scripts and styles of its own inside the page; all of them come from this site."""
    frame: Any = get_template("admin/base.html")
    origin = Path(frame.origin.name)
    themed = Path(apps.get_app_config("admin").path) not in origin.parents
    return policy({**DIRECTIVES, **THEMED}) if themed else CSP
