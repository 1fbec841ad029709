"""A call that is no HTTP request: its work in, an Exchange out, or a DeliveryError that has one.

As with the wire of HTTP, only public addresses are called, a call ends within its timeout, and what
is kept of it holds no secret. Whoever has to compute for long does so on a thread.
"""

from __future__ import annotations

import asyncio
import importlib
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.http import explain as explain_connection
from tracking.destinations.transport.recorder import Recorder, host_of
from tracking.destinations.transport.request import Request
from tracking.destinations.transport.ssrf import AddressRefusedError, check
from tracking.events import Exchange
from tracking.exceptions import DeliveryError, SetupError

#: An error of the other side's own library in; the one that it means out, None if it means nothing.
Explain = Callable[[Exception], DeliveryError | None]


async def perform(
    destination: Destination,
    request: Request,
    work: Coroutine[Any, Any, str],
    explain: Explain,
) -> Exchange:
    """Do the work that the request describes; what it returns is kept as the answer.

    Raises RetryableError, PermanentError or SetupError; whatever else the work raises is a fault of
    our own.
    """
    recorder = Recorder(replace(request, secrets=destination.secrets))
    started = time.monotonic()

    def exchange(said: str) -> Exchange:
        return Exchange(
            status=None,
            duration=time.monotonic() - started,
            write=lambda: recorder.write(body=said.encode()),
        )

    try:
        async with asyncio.timeout(destination.timeout):
            return exchange(await work)
    except Exception as fault:
        error = explain(fault) or _of_connection(fault, request, destination.timeout)
        if error is None:
            raise
        told = recorder.mask(str(error))
        error.args = (told,)
        error.exchange = error.exchange or exchange(told)
        raise error from fault


def _of_connection(fault: Exception, request: Request, timeout: float) -> DeliveryError | None:
    if isinstance(fault, DeliveryError):
        return fault
    if isinstance(fault, OSError):
        return explain_connection(fault, host=host_of(request.url), timeout=timeout)
    return None


async def find_addresses(host: str, port: int) -> list[str]:
    """The addresses behind the name that may be called. Raises AddressRefusedError where there are
    none, and OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed, refusal = [], None
    for address in dict.fromkeys(str(item[4][0]) for item in found):
        try:
            check(address)
            allowed.append(address)
        except AddressRefusedError as error:
            refusal = error
    if refusal and not allowed:
        raise refusal
    return allowed


def need(module: str, extra: str) -> Any:
    """The optional package's module. Raises SetupError where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise SetupError(
            f"The package {package} is missing: pip install hitstream[{extra}]"
        ) from None
