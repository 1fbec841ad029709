"""GET /t.js and /f/<path>.js: the browser's script, the same for every token.

In: t.js as it is written. Out: the minified script, compressed once.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.request import Request
from rjsmin import jsmin

from tracking.ingest.http.views import IngestView

SOURCE = Path(__file__).with_name("t.js")
#: Seconds for which browsers and proxies may use the script without asking again.
MAX_AGE = 3600


@dataclass(frozen=True)
class CompressedScript:
    """The bytes of the answer, and their ETag."""

    content: bytes
    etag: str


@cache
def packed(*, zipped: bool) -> CompressedScript:
    content = jsmin(SOURCE.read_text("utf-8")).encode()
    etag = sha256(content).hexdigest()[:16]
    if zipped:
        return CompressedScript(gzip.compress(content, mtime=0), f'"{etag}-gzip"')
    return CompressedScript(content, f'"{etag}"')


def takes_gzip(request: HttpRequest) -> bool:
    for coding in request.META.get("HTTP_ACCEPT_ENCODING", "").lower().split(","):
        name, _, quality = coding.replace(" ", "").partition(";q=")
        if name == "gzip":
            return quality.strip("0.") != "" or not quality
    return False


class ScriptView(IngestView):
    http_method_names = ["get", "head", "options"]  # noqa: RUF012 (Django's own attribute)

    def get(self, request: Request, path: str = "") -> HttpResponse:
        """Answer with the script. No token is looked up: the script is the same for all, and every
        hit that it sends is checked."""
        zipped = takes_gzip(request._request)
        script = packed(zipped=zipped)
        response = HttpResponse(script.content, content_type="text/javascript; charset=utf-8")
        response.headers["Cache-Control"] = f"public, max-age={MAX_AGE}"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["ETag"] = script.etag
        patch_vary_headers(response, ["Accept-Encoding"])
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
        answer = get_conditional_response(request._request, etag=script.etag, response=response)
        return cast(HttpResponse, answer)
