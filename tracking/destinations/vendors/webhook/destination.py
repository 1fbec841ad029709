"""Webhook: hits to any HTTP endpoint, signed so that the receiver can trust them.

Source: the Standard Webhooks specification 1.0.0 (spec/standard-webhooks.md in
standard-webhooks/standard-webhooks), sections "Payload structure", "Signature scheme" and
"Webhook headers". The scheme signs `id.timestamp.body` by HMAC-SHA256.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from standardwebhooks import Webhook as Signer

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.destination import Destination
from tracking.destinations.contract.form_fields import HeadersField, HttpUrlField
from tracking.destinations.spec.hit_json import batch_id, hit_json
from tracking.destinations.transport.request import Request
from tracking.events import Event

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client

SECRET_PREFIX = "whsec_"  # noqa: S105


class WebhookConfig(ConfigForm):
    url = HttpUrlField(label="URL", help_text="Where hits are posted to.")
    signing_secret = SecretField(
        required=False,
        help_text="whsec_ and the base64 of 24 to 64 random bytes. Empty: one is made and shown"
        " once.",
    )
    batch_size = forms.IntegerField(
        label="Batch size",
        required=False,
        initial=1,
        min_value=1,
        max_value=500,
        help_text="1 = single object, more = array.",
    )
    headers = HeadersField(
        required=False,
        help_text='Further headers, as "Name: value" a line or as a JSON object.',
    )
    timeout = forms.IntegerField(
        label="Timeout in seconds", required=False, initial=10, min_value=1, max_value=60
    )

    def clean_signing_secret(self) -> str:
        """The secret given; without one the stored is kept, else a new one is made and issued."""
        secret: str = self.cleaned_data["signing_secret"]
        if not secret and "signing_secret" in self.stored - self.removed:
            return ""
        if not secret:
            secret = self.issued["signing_secret"] = issue_secret()
        check_secret(secret)
        return secret


def issue_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(secret: str) -> None:
    """Raise ValidationError unless the text is a secret as the specification wants it."""
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        size = len(base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if encoded == secret or not 24 <= size <= 64:
        raise ValidationError(
            "A signing secret is whsec_ followed by the base64 of 24 to 64 bytes.", code="secret"
        )


class Webhook(Destination):
    """Posts one hit, or a list of hits under `data`, as JSON.

    `webhook-id` is the hit's id. A list's is made from the ids in it, and a retry may group hits
    anew: a receiver of lists recognises a repeated hit by its `id`.
    """

    slug = "webhook"
    label = "Webhook"
    docs_url = "https://www.standardwebhooks.com/"
    icon, colour = "Wh", "#5b6470"
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
        """A signed message of type `ping` without data: a receiver that checks signatures says so,
        and one that looks at the type knows that it is no hit."""
        now = datetime.now(UTC)
        body = msgspec.json.encode({"type": "ping", "timestamp": now, "data": {}})
        response = await self.ask(client, self.sign(body, f"ping_{int(now.timestamp())}"))
        return f"It answered {response.status} to a signed ping."

    def sign(self, body: bytes, webhook_id: str) -> Request:
        """The signed request. Its timestamp is the sending time, as the specification wants it."""
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
