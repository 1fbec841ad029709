"""The contract of a channel: its configuration and a message in, a sentence about the answer out.

HTTP channels use the transport of the destinations, with its SSRF guard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from tracking.alerts.message import Message
from tracking.destinations.contract.config_form import ConfigForm
from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.http import Client
from tracking.destinations.transport.request import Request

#: Seconds that a mail server may take for each of its answers.
TIMEOUT = 10.0


class Channel:
    Config: ClassVar[type[ConfigForm]]
    docs_url: ClassVar[str] = ""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config

    def send(self, message: Message) -> str:
        """Send the message. Returns the answer for the operator. Raises DeliveryError."""
        raise NotImplementedError


def post(destination: Destination, request: Request) -> str:
    """Send the request. Returns the answer for the operator. Raises DeliveryError."""
    return asyncio.run(_post(destination, request))


async def _post(destination: Destination, request: Request) -> str:
    async with Client() as client:
        response = await destination.ask(client, request)
    return _("It answered %(status)s.") % {"status": response.status}
