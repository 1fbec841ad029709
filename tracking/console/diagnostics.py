"""What is wrong with how a request reached the server or with the deployment's settings, and how to
fix it: each a condition and a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import validate_host
from django.utils.translation import gettext as _

from tracking.conf import conf
from tracking.ingest.auth.client_ip import is_trusted

FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Real-Ip")


def diagnose(request: HttpRequest) -> list[str]:
    return [*of_proxies(request), *of_scheme(request), *of_hosts(request), *of_settings()]


def of_proxies(request: HttpRequest) -> Iterator[str]:
    peer = request.META.get("REMOTE_ADDR") or ""
    present = [name for name in FORWARDED if name in request.headers]
    if present and not is_trusted(peer):
        yield _(
            "The request has %(headers)s, but %(peer)s is not in TRUSTED_PROXIES. If it is your "
            "proxy, set HITSTREAM_TRUSTED_PROXIES=%(value)s. Until then every hit seems to come "
            "from there."
        ) % {
            "headers": listed(present),
            "peer": peer or _("a unix socket"),
            "value": peer or "unix",
        }
    if "X-Forwarded-For" not in request.headers and is_trusted(peer):
        yield _(
            "%(peer)s is a trusted proxy, but sent no X-Forwarded-For: configure the proxy to set "
            "it."
        ) % {"peer": peer or _("The unix socket")}


def listed(names: Sequence[str]) -> str:
    """Return the names as a list within a sentence."""
    return reduce(lambda one, next: _("%(one)s and %(next)s") % {"one": one, "next": next}, names)


def of_scheme(request: HttpRequest) -> Iterator[str]:
    outside = request.headers.get("X-Forwarded-Proto", "").split(",")[0].strip()
    origin = urlsplit(request.headers.get("Origin", "") or request.headers.get("Referer", ""))
    is_https = "https" in (outside, origin.scheme, urlsplit(conf.PUBLIC_URL).scheme)
    if is_https and not request.is_secure():
        yield _("The browser uses https, but the server received http: set BEHIND_TLS_PROXY=1.")
    if request.is_secure() and not settings.SESSION_COOKIE_SECURE:
        yield _("Cookies are also sent over http: set COOKIES_SECURE=1.")


def of_hosts(request: HttpRequest) -> Iterator[str]:
    public = urlsplit(conf.PUBLIC_URL)
    outside = request.headers.get("X-Forwarded-Host", "").split(",")[0].strip()
    for host in filter(None, dict.fromkeys((public.hostname or "", outside.partition(":")[0]))):
        if not validate_host(host.lower(), settings.ALLOWED_HOSTS):
            yield _("ALLOWED_HOSTS lacks %(host)s: set ALLOWED_HOSTS=%(host)s.") % {"host": host}
    if public.hostname and public.scheme == "https" and not request.is_secure():
        origin = f"https://{public.netloc}"
        if origin not in settings.CSRF_TRUSTED_ORIGINS:
            yield _(
                "CSRF_TRUSTED_ORIGINS lacks %(origin)s: its forms are refused. Set "
                "CSRF_TRUSTED_ORIGINS=%(origin)s, or BEHIND_TLS_PROXY=1."
            ) % {"origin": origin}
    if "*" in settings.ALLOWED_HOSTS:
        yield _("ALLOWED_HOSTS is *: list the hosts, or a client can forge links in pages.")


def of_settings() -> Iterator[str]:
    if settings.DEBUG:
        yield _("DEBUG is on: every error page shows settings and code. Unset it.")
    key = settings.SECRET_KEY
    if len(key) < 50 or key.startswith("django-insecure-"):
        yield _(
            "SECRET_KEY is short or the default of startproject: sessions can be forged. Set "
            "DJANGO_SECRET_KEY to 50 random characters."
        )
    if not conf.SECRET_KEYS:
        yield _(
            "HITSTREAM_SECRET_KEYS is empty, so no credential can be stored: "
            "`manage.py rotate_secret_keys --generate` prints a key."
        )


def shown_headers(request: HttpRequest) -> Mapping[str, Any]:
    """Return the headers that the server received, with credentials masked."""
    headers = sorted(request.headers.items())
    return {name: "••••" if is_secret(name) else value for name, value in headers}


def is_secret(name: str) -> bool:
    words = (
        *("cookie", "authorization", "token", "secret", "key", "csrf", "session", "password"),
        # Headers of proxies that sign users in: X-Amzn-Oidc-Data, Cf-Access-Jwt-Assertion.
        *("jwt", "oidc", "assertion", "credential", "signature"),
    )
    return any(word in name.lower() for word in words)
