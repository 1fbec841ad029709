"""What is wrong with how a request reached the server or with the deployment's settings, and how to
fix it: each a condition and a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import validate_host

from tracking.conf import conf
from tracking.ingest.auth.client_ip import is_trusted

FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Real-Ip")


def diagnose(request: HttpRequest) -> list[str]:
    return [*of_proxies(request), *of_scheme(request), *of_hosts(request), *of_settings()]


def of_proxies(request: HttpRequest) -> Iterator[str]:
    peer = request.META.get("REMOTE_ADDR") or ""
    present = [name for name in FORWARDED if name in request.headers]
    if present and not is_trusted(peer):
        shown, value = (peer, peer) if peer else ("a unix socket", "unix")
        yield (
            f"The request has {' and '.join(present)}, but {shown} is not in TRUSTED_PROXIES. If "
            f"it is your proxy, set HITSTREAM_TRUSTED_PROXIES={value}. Until then every hit seems "
            "to come from there."
        )
    if "X-Forwarded-For" not in request.headers and is_trusted(peer):
        yield (
            f"{peer or 'The unix socket'} is a trusted proxy, but sent no X-Forwarded-For: "
            "configure the proxy to set it."
        )


def of_scheme(request: HttpRequest) -> Iterator[str]:
    outside = request.headers.get("X-Forwarded-Proto", "").split(",")[0].strip()
    origin = urlsplit(request.headers.get("Origin", "") or request.headers.get("Referer", ""))
    is_https = "https" in (outside, origin.scheme, urlsplit(conf.PUBLIC_URL).scheme)
    if is_https and not request.is_secure():
        yield "The browser uses https, but the server received http: set BEHIND_TLS_PROXY=1."
    if request.is_secure() and not settings.SESSION_COOKIE_SECURE:
        yield "Cookies are also sent over http: set COOKIES_SECURE=1."


def of_hosts(request: HttpRequest) -> Iterator[str]:
    public = urlsplit(conf.PUBLIC_URL)
    outside = request.headers.get("X-Forwarded-Host", "").split(",")[0].strip()
    for host in filter(None, dict.fromkeys((public.hostname or "", outside.partition(":")[0]))):
        if not validate_host(host.lower(), settings.ALLOWED_HOSTS):
            yield f"ALLOWED_HOSTS lacks {host}: set ALLOWED_HOSTS={host}."
    if public.hostname and public.scheme == "https" and not request.is_secure():
        origin = f"https://{public.netloc}"
        if origin not in settings.CSRF_TRUSTED_ORIGINS:
            yield (
                f"CSRF_TRUSTED_ORIGINS lacks {origin}: its forms are refused. Set "
                f"CSRF_TRUSTED_ORIGINS={origin}, or BEHIND_TLS_PROXY=1."
            )
    if "*" in settings.ALLOWED_HOSTS:
        yield "ALLOWED_HOSTS is *: list the hosts, or a client can forge links in pages."


def of_settings() -> Iterator[str]:
    if settings.DEBUG:
        yield "DEBUG is on: every error page shows settings and code. Unset it."
    key = settings.SECRET_KEY
    if len(key) < 50 or key.startswith("django-insecure-"):
        yield (
            "SECRET_KEY is short or the default of startproject: sessions can be forged. Set "
            "DJANGO_SECRET_KEY to 50 random characters."
        )
    if not conf.SECRET_KEYS:
        yield (
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
