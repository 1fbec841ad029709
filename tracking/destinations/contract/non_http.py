"""Calls that are not HTTP requests: their work in, an Exchange out, or a DeliveryError that holds
one.

As for HTTP, only public addresses are called, a call ends within its timeout, what is read is
bounded, and its record holds no secret: client libraries connect through a relay. Long
computations belong on a thread.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.http import explain as explain_connection
from tracking.destinations.transport.recorder import Recorder, host_of
from tracking.destinations.transport.relay import Relay
from tracking.destinations.transport.request import Request
from tracking.events import Exchange
from tracking.exceptions import DeliveryError, SetupError

#: Maps an exception of the client library to the DeliveryError that it stands for; None if there is
#: none.
Explain = Callable[[Exception], DeliveryError | None]


async def perform(
    destination: Destination,
    request: Request,
    work: Coroutine[Any, Any, str],
    explain: Explain,
) -> Exchange:
    """Do the work that the request describes. What the work returns is recorded as the response.

    Raises RetryableError, PermanentError or SetupError. Any other exception of the work is a defect
    of Hitstream and passes through.
    """
    recorder = Recorder(replace(request, secrets=destination.secrets))
    started = time.monotonic()

    def exchange(answer: str) -> Exchange:
        return Exchange(
            status=None,
            duration=time.monotonic() - started,
            write=lambda: recorder.write(body=answer.encode()),
        )

    try:
        async with asyncio.timeout(destination.timeout):
            return exchange(await work)
    except Exception as fault:
        error = explain(fault) or _of_connection(fault, request, destination.timeout)
        if error is None:
            raise
        message = recorder.mask(str(error))
        error.args = (message,)
        error.exchange = error.exchange or exchange(message)
        raise error from fault


def _of_connection(fault: Exception, request: Request, timeout: float) -> DeliveryError | None:
    if isinstance(fault, DeliveryError):
        return fault
    if isinstance(fault, OSError):
        return explain_connection(fault, host=host_of(request.url), timeout=timeout)
    return None


@asynccontextmanager
async def relaying(limit: int, host: str = "", port: int = 0) -> AsyncIterator[Relay]:
    """Yield a relay that passes on at most `limit` bytes of what comes back: a tunnel to the host,
    or without one a proxy. Raises OSError, also in place of an error that the relay has caused."""
    async with Relay(limit, (host, port) if host else None) as relay:
        try:
            yield relay
        except Exception as error:
            if relay.fault is not None:
                raise relay.fault from error
            raise


def need(module: str, extra: str) -> Any:
    """Import and return the module of an optional package. Raises SetupError if it is not
    installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise SetupError(
            f"The package {package} is not installed: pip install hitstream[{extra}]"
        ) from None
