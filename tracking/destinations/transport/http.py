"""The HTTP client: a Request in, a Response out, or one of the three DeliveryErrors with its
Exchange.

Only public addresses are called (see `ssrf`), redirects are never followed, cookies and the proxies
of the environment are never used, only that of the deployment (see `outbound_proxy`). Whatever the
server does, a request ends within its timeout and keeps at most RESPONSE_LIMIT bytes of the
response.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from tracking.conf import conf
from tracking.destinations.transport import outbound_proxy
from tracking.destinations.transport.names import SystemResolver
from tracking.destinations.transport.recorder import Recorder, cut, host_of
from tracking.destinations.transport.request import Request
from tracking.destinations.transport.ssrf import AddressRefusedError, PublicResolver, open_socket
from tracking.events import Exchange
from tracking.exceptions import DeliveryError, PermanentError, RetryableError, SetupError
from tracking.observer import added_headers

RESPONSE_LIMIT = 65_536
MAX_RETRY_AFTER = 86_400.0
#: Maximum bytes of the vendor's response in an error message.
WORDS_LIMIT = 300

SETUP_STATUSES = frozenset({401, 403, 404, 410})
RETRYABLE_STATUSES = frozenset({408, 425, 429})
UNKNOWN_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A vendor's response: headers by case-insensitive name, and the first RESPONSE_LIMIT bytes of
    the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    exchange: Exchange

    @property
    def words(self) -> str:
        """The body as one line for a message: without secrets, cut to WORDS_LIMIT bytes."""
        return cut(" ".join(self.exchange.said.response_body.split()), WORDS_LIMIT)

    def sentence(self, start: str) -> str:
        """Return the start, and behind it what the body says, if it says something."""
        return f"{start}: {self.words}" if self.words else f"{start}."

    def raise_for_status(self) -> None:
        """Return for 2xx. Raise the error that the status stands for otherwise."""
        if 200 <= self.status < 300:
            return
        if 300 <= self.status < 400:
            headers = self.exchange.said.response_headers
            masked = {name.lower(): value for name, value in headers.items()}
            target = masked.get("location") or "nowhere"
            raise SetupError(
                f"The destination answered {self.status} with a redirect to {target}. Hitstream"
                " does not follow redirects: enter the final URL in the integration.",
                exchange=self.exchange,
            )
        message = self.sentence(f"The destination answered {self.status}")
        if self.status in SETUP_STATUSES:
            raise SetupError(message, exchange=self.exchange)
        if self.status in RETRYABLE_STATUSES or not 400 <= self.status < 500:
            raise RetryableError(
                message,
                exchange=self.exchange,
                retry_after=read_retry_after(self.headers.get("Retry-After", "")),
            )
        raise PermanentError(message, exchange=self.exchange)


class Client:
    """An HTTP client that keeps connections open for later requests. An async context manager."""

    def __init__(self, *, resolver: AbstractResolver | None = None) -> None:
        self._resolver = resolver

    async def __aenter__(self) -> Self:
        resolver = self._resolver or SystemResolver()
        self._proxy = conf.OUTBOUND_PROXY or None
        connector = aiohttp.TCPConnector(
            # All connections lead to the proxy, which may have a private address.
            resolver=resolver if self._proxy else PublicResolver(resolver),
            socket_factory=None if self._proxy else open_socket,
            # Common servers close an idle connection after 5 s; a POST sent at that moment is lost.
            keepalive_timeout=4.0,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Hitstream", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def send(self, request: Request, *, timeout: float) -> Response:
        """Send the request and return the response, whatever its status.

        Raises RetryableError or SetupError if no complete response arrives within `timeout`
        seconds.
        """
        if added := added_headers.get():
            request = replace(request, headers={**request.headers, **added})
        started = time.monotonic()
        try:
            _check_scheme(request.url)
            async with asyncio.timeout(timeout):
                answer, body = await self._exchange(request)
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            error = explain(fault, host=host_of(request.url), timeout=timeout)
            error.exchange = Exchange(
                status=None,
                duration=time.monotonic() - started,
                write=lambda: Recorder(request).write(),
            )
            raise error from fault
        exchange = Exchange(
            status=answer.status,
            duration=time.monotonic() - started,
            write=lambda: Recorder(request).write(answer.headers, body),
        )
        return Response(status=answer.status, headers=answer.headers, body=body, exchange=exchange)

    async def _exchange(self, request: Request) -> tuple[aiohttp.ClientResponse, bytes]:
        if self._proxy:
            outbound_proxy.check_name(URL(request.url).raw_host or "")
        async with self._session.request(
            request.method,
            request.url,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            proxy=self._proxy,
        ) as answer:
            return answer, inflate(await _read(answer), answer.headers.get("Content-Encoding", ""))


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    while len(body) <= RESPONSE_LIMIT:
        chunk = await answer.content.read(RESPONSE_LIMIT + 1 - len(body))
        if not chunk:
            return bytes(body)
        body += chunk
    answer.close()
    return bytes(body[:RESPONSE_LIMIT])


def inflate(body: bytes, encoding: str) -> bytes:
    """Return the first RESPONSE_LIMIT decompressed bytes, for servers that compress although the
    request forbids it."""
    if encoding.lower() not in {"gzip", "deflate"}:
        return body
    try:
        return zlib.decompressobj(wbits=47).decompress(body, RESPONSE_LIMIT)
    except zlib.error:
        return body


def _check_scheme(url: str) -> None:
    if not url.lower().startswith(("http://", "https://")):
        raise aiohttp.InvalidURL(url)


def explain(fault: Exception, *, host: str, timeout: float) -> DeliveryError:
    """Return the error that tells the operator why there is no response."""
    match fault:
        case aiohttp.ClientConnectorCertificateError():
            reason = fault.certificate_error
            return SetupError(f"The certificate of {host} was not accepted: {reason}")
        case aiohttp.ClientProxyConnectionError():
            return RetryableError(f"The outbound proxy cannot be reached: {fault.os_error}")
        case aiohttp.ClientHttpProxyError():
            refusal = outbound_proxy.ProxyRefusedError(f"{fault.status} {fault.message}")
            return RetryableError(f"{host} cannot be called. {refusal}")
    return explain_cause(getattr(fault, "os_error", fault), host=host, timeout=timeout)


def explain_cause(cause: Exception, *, host: str, timeout: float) -> DeliveryError:
    """Return the error of a connection that failed for this cause."""
    match cause:
        case AddressRefusedError():
            return SetupError(f"{host} cannot be called. {cause}")
        case outbound_proxy.ProxyRefusedError():
            return RetryableError(f"{host} cannot be called. {cause}")
        case socket.gaierror(errno=number) if number in UNKNOWN_NAME:
            return SetupError(f"The host name {host} is unknown.")
        case socket.gaierror():
            return RetryableError(f"The host name {host} could not be resolved at the moment.")
        case TimeoutError():
            return RetryableError(f"{host} timed out after {timeout:g} s.")
        case ValueError():
            return SetupError(
                f"The request to {host} is invalid: check the URL of the integration."
            )
    return RetryableError(f"The connection to {host} failed: {cause or type(cause).__name__}")


def read_retry_after(value: str) -> float | None:
    """Return the seconds of a Retry-After header, which holds seconds or an HTTP date (RFC 9110,
    10.2.3); at most MAX_RETRY_AFTER. None if the value is neither."""
    if re.fullmatch(r"[0-9]{1,18}", value.strip()):
        return min(float(value), MAX_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
