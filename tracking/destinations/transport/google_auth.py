"""Google's service accounts: a JSON key in, authorised requests out.

Source: Google's page "Using OAuth 2.0 for Server to Server Applications"
(https://developers.google.com/identity/protocols/oauth2/service-account), section "HTTP/REST": the
claims iss, scope, aud, iat and exp (at most one hour), signed with RS256; grant type jwt-bearer.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.utils.translation import gettext_noop

from tracking.destinations.transport.request import Request
from tracking.exceptions import SetupError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client, Response

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "https://oauth2.googleapis.com/token"
LIFE_SECONDS = 3_600
#: Seconds before its expiry from which a token is no longer used.
SLACK_SECONDS = 120.0
MAX_TOKENS = 1_000

#: Access tokens and the monotonic time until which they may be used, by a digest of the parameters
#: of their request.
_tokens: dict[str, tuple[str, float]] = {}


class AccountError(ValueError):
    """The text is not the key of a service account."""


def read_account(text: str) -> tuple[str, rsa.RSAPrivateKey, str]:
    """Return the account's e-mail address, its key and the key's id. Raises AccountError, whose
    message contains nothing of the text; a form translates it."""
    try:
        account = json.loads(text)
        key = serialization.load_pem_private_key(account["private_key"].encode(), password=None)
        email, id = account["client_email"], account["private_key_id"]
    except (ValueError, TypeError, KeyError, AttributeError):
        key, email, id = None, "", ""
    if not isinstance(key, rsa.RSAPrivateKey) or not all(
        isinstance(each, str) and each for each in (email, id)
    ):
        raise AccountError(gettext_noop("Paste the complete JSON file of a service account's key."))
    return email, key, id


class TokenSource:
    """A sender of requests on behalf of the account. It keeps its access token until shortly before
    expiry."""

    def __init__(self, account: str, host: str, scope: str) -> None:
        self._account, self._host, self._scope = account, host, scope
        self._name = hashlib.sha256(f"{host}\n{scope}\n{account}".encode()).hexdigest()

    async def send(self, client: Client, request: Request, *, timeout: float) -> Response:
        """Send the request with an access token and return the response, whatever its status.

        A rejected token is requested again for the next request. Raises a DeliveryError if no token
        is issued.
        """
        token, until = _tokens.get(self._name, ("", 0.0))
        if time.monotonic() >= until:
            token = await self._ask(client, request.secrets, timeout)
        headers = {**request.headers, "Authorization": f"Bearer {token}"}
        authorised = replace(request, headers=headers, secrets=request.secrets | {token})
        response = await client.send(authorised, timeout=timeout)
        if response.status == 401:
            _tokens.pop(self._name, None)
        return response

    async def _ask(self, client: Client, secrets: frozenset[str], timeout: float) -> str:
        assertion = self._sign(int(time.time()))
        request = Request(
            url=f"{self._host}/token",
            body=urlencode({"grant_type": GRANT, "assertion": assertion}).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            secrets=secrets | {assertion},
        )
        response = await client.send(request, timeout=timeout)
        if b"invalid_grant" in response.body or b"invalid_client" in response.body:
            message = response.sentence("Google rejected the key")
            raise SetupError(message, exchange=response.exchange)
        response.raise_for_status()
        try:
            issued: Mapping[str, Any] = msgspec.json.decode(response.body)
            token, life = str(issued["access_token"]), float(issued["expires_in"])
        except (ValueError, TypeError, KeyError):
            # The response may contain a token, so it is not recorded.
            raise SetupError("Google's response contains no access token.") from None
        if len(_tokens) >= MAX_TOKENS:
            _tokens.clear()
        _tokens[self._name] = token, time.monotonic() + life - SLACK_SECONDS
        return token

    def _sign(self, now: int) -> str:
        try:
            email, key, id = read_account(self._account)
        except AccountError as error:
            raise SetupError(str(error)) from None
        claims = {
            "iss": email,
            "scope": self._scope,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + LIFE_SECONDS,
        }
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": id})
