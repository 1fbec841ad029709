"""A client of a web site's forms, without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener


@dataclass(frozen=True)
class Page:
    status: int
    headers: dict[str, str]
    text: str


class FormClient:
    """Keeps cookies, follows redirects, submits forms."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def open(
        self,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Page:
        """A body that is not bytes goes out in chunks, without a length."""
        request = Request(f"{self._site}{path}", body, headers or {})
        try:
            answer = self._opener.open(request, timeout=20)
        except HTTPError as error:
            answer = error
        with answer:
            named = {name.lower(): value for name, value in answer.headers.items()}
            return Page(answer.status, named, answer.read().decode())

    def submit(self, path: str, **values: str) -> Page:
        """The form on the page, with these values and the page's own CSRF token."""
        return self.post(path, self.csrf_token(path), **values)

    def csrf_token(self, path: str) -> str:
        """The CSRF token of the form on the page."""
        form = self.open(path)
        assert form.status == 200, form.text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
        assert token, form.text
        return token[1]

    def post(self, path: str, csrf_token: str, **values: str) -> Page:
        return self.open(path, urlencode({**values, "csrfmiddlewaretoken": csrf_token}).encode())
