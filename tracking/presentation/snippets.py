"""Snippets that send hits of a token to this site."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from tracking.models import Token

PYTHON = """\
import requests

hit = {hit}
requests.post("{url}", json=hit, auth=("{secret}", "")).raise_for_status()"""
JAVASCRIPT = """\
<script>
  window.hitstream = window.hitstream || [];
  hitstream.push(["track", "Registered", {{plan: "pro"}}]);
</script>
<script defer src="{url}"></script>"""
HIT = '{"event": {"name": "Registered", "plan": "pro", "user": {"userId": "u1"}}}'


def snippets(request: HttpRequest, token: Token) -> list[tuple[str, str]]:
    """Return labels and texts; none where the site takes no hits. The secret is not stored, so it
    is left out."""
    try:
        path = reverse("hitstream:first-party", args=(token.path,))
        track = request.build_absolute_uri(reverse("hitstream:track"))
    except NoReverseMatch:
        return []
    home = track.removesuffix("/track")
    return [
        (_("In pages"), f'<script defer src="{request.build_absolute_uri(path)}.js"></script>'),
        (
            _("In pages with analytics.js"),
            f'AnalyticsBrowser.load({{writeKey: "{token.project_id}", cdnURL: "{home}"}})',
        ),
        (_("In this project's Python"), f'track({token.name!r}, "Registered", user_id="u1")'),
        (_("On servers"), curl(track, f"{token.prefix}_…")),
    ]


def first_hit(request: HttpRequest, token: Token) -> list[tuple[str, str]]:
    """Return labels and texts that send a first hit, with a gap for the secret; none where the site
    takes no hits."""
    try:
        track = request.build_absolute_uri(reverse("hitstream:track"))
        path = reverse("hitstream:first-party", args=(token.path,))
    except NoReverseMatch:
        return []
    secret = f"{token.prefix}_…"
    return [
        ("curl", curl(track, secret)),
        ("Python", PYTHON.format(url=track, secret=secret, hit=HIT)),
        ("JavaScript", JAVASCRIPT.format(url=f"{request.build_absolute_uri(path)}.js")),
    ]


def curl(url: str, secret: str) -> str:
    return f"curl -i -u {secret}: -H 'Content-Type: application/json' -d '{HIT}' {url}"
