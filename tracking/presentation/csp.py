"""The Content-Security-Policy of the console and of our admin pages."""

from __future__ import annotations

from tracking.presentation.admin_frame import is_stock_frame

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


def admin_csp() -> str:
    """Return the policy of our admin pages: a theme that replaces the frame of Django's admin may
    use scripts and styles of its own inside the page; all of them come from this site."""
    return CSP if is_stock_frame() else policy({**DIRECTIVES, **THEMED})
