"""Webhook: hits to any HTTP endpoint, signed so that the receiver can trust them.

Source: the Standard Webhooks specification 1.0.0 (spec/standard-webhooks.md in
standard-webhooks/standard-webhooks), sections "Payload structure", "Signature scheme" and "Webhook
headers". The scheme signs `id.timestamp.body` with HMAC-SHA256.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from standardwebhooks import Webhook as Signer

from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.hit_json import batch_id, hit_json
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.webhook.config import WebhookConfig
from tracking.events import Event

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client


class Webhook(Destination):
    """Webhook: one hit, or a list of hits under `data`, as JSON.

    `webhook-id` is the id of the hit. The id of a list is made from the ids in it, and a retry may
    group hits differently: a receiver of lists recognises a duplicate hit by its `id`.
    """

    slug = "webhook"
    label = "Webhook"
    category = "connections"
    summary = gettext_lazy("Each hit as JSON to a URL of yours, signed.")
    docs_url = "https://www.standardwebhooks.com/"
    aliases = ("Webhooks",)
    Config = WebhookConfig

    idempotency = "webhook-id, and `id` of each hit"

    max_batch = 500

    @property
    def batch_size(self) -> int:
        return min(int(self.config.get("batch_size", 1)), self.max_batch)

    @property
    def timeout(self) -> float:
        return float(self.config.get("timeout", 10))

    def request(self, events: Sequence[Event]) -> Request:
        return self.sign(self._body(events), batch_id(events))

    async def verify(self, client: Client) -> str:
        """Send a signed message of type `ping` without data. A receiver that checks signatures
        reports a wrong one, and a receiver that reads the type knows that it is not a hit."""
        now = datetime.now(UTC)
        body = msgspec.json.encode({"type": "ping", "timestamp": now, "data": {}})
        response = await self.ask(client, self.sign(body, f"ping_{int(now.timestamp())}"))
        return _("It answered %(status)s to a signed ping.") % {"status": response.status}

    def sign(self, body: bytes, webhook_id: str) -> Request:
        """Return the signed request. Its timestamp is the time of sending, as the specification
        requires."""
        now = datetime.now(UTC)
        headers: dict[str, str] = self.config.get("headers") or {}
        signature = Signer(self.config["signing_secret"]).sign(webhook_id, now, body.decode())
        return Request(
            url=self.config["url"],
            body=body,
            headers={
                **headers,
                "Content-Type": "application/json",
                "webhook-id": webhook_id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": signature,
            },
            secret_headers=frozenset(headers),
        )

    def _body(self, events: Sequence[Event]) -> bytes:
        hits = [hit_json(event) for event in events]
        single = self.batch_size == 1
        return msgspec.json.encode(
            {
                "type": "hit" if single else "hits",
                "timestamp": max(event.received_at for event in events).astimezone(UTC),
                "data": hits[0] if single else hits,
            }
        )
