"""Carrier pigeon, a destination in a package of its own.

Source: nobody's page.
"""

import json

from django import forms

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.request import Request


class PigeonConfig(ConfigForm):
    loft = forms.URLField(assume_scheme="https", help_text="Where the pigeon lives.")
    ring = SecretField(help_text="On its leg.")


class Pigeon(Destination):
    slug = "pigeon"
    label = "Carrier pigeon"
    docs_url = "https://pigeon.example/"
    icon, colour = "Pi", "#4a6fa5"
    Config = PigeonConfig
    takes = frozenset({"track"})
    idempotency = "id of each message"
    max_batch = 10

    def request(self, events):
        messages = [{"id": str(event.id), "says": event.name} for event in events]
        return Request(
            url=self.config["loft"],
            body=json.dumps(messages).encode(),
            headers={"X-Ring": self.config["ring"]},
            secret_headers=frozenset({"X-Ring"}),
        )

    async def verify(self, client):
        await self.ask(client, Request(url=self.config["loft"], body=b"", method="GET"))
        return "It is at home."
