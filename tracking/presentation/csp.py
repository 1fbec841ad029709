"""The Content-Security-Policy of the console and of our admin pages."""

from __future__ import annotations

#: Nothing from another site, nothing inline. The stock admin's icons are data: URLs.
CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
