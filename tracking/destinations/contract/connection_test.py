"""The connection test: a destination in, a sentence for the operator out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from django.utils.translation import gettext as _

from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.http import Client
from tracking.events import Exchange, Transcript
from tracking.exceptions import DeliveryError, blame


@dataclass(frozen=True, slots=True)
class ConnectionResult:
    """Whether the configuration works, as far as a call without side effects can show. `exchange`
    is the failed request with its result, if a request was made."""

    works: bool
    message: str
    exchange: Exchange | None = None

    @property
    def said(self) -> Transcript | None:
        return self.exchange.said if self.exchange else None


def check_connection(destination: Destination) -> ConnectionResult:
    """Call `verify` and return its result. Blocks for at most the destination's timeout plus 5
    seconds."""
    return asyncio.run(_try_out(destination))


async def _try_out(destination: Destination) -> ConnectionResult:
    try:
        async with Client() as client, asyncio.timeout(destination.timeout + 5.0):
            return ConnectionResult(True, await destination.verify(client))
    except DeliveryError as error:
        return ConnectionResult(False, destination.mask(str(error)), error.exchange)
    except NotImplementedError:
        return ConnectionResult(
            False,
            _("%(destination)s cannot be tested without sending a hit.")
            % {"destination": destination.label},
        )
    except TimeoutError:
        return ConnectionResult(
            False,
            _("%(destination)s did not respond in time.") % {"destination": destination.label},
        )
    except Exception as error:
        return ConnectionResult(False, blame(error))
