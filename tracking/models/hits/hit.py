"""Hits as received, never edited; and the keys that recognise a duplicate hitId."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import models
from django.utils.translation import gettext_lazy as _

from tracking import db
from tracking.destinations.contract import registry
from tracking.events import TEST_EVENT, TEST_USER, Event
from tracking.models.integrations.integration import Integration
from tracking.models.tokens.token import Token
from tracking.sql import load

SQL = load(__file__)
#: From here on pages show both times of a hit.
LATE = timedelta(minutes=1)
FIELDS = tuple(field.name for field in dataclasses.fields(Event) if field.init)[:-2]


class Clock(models.TextChoices):
    """The rule that gave the event's time. It is never after receipt."""

    RECEIVED = "received", _("when it was received: the sender gave no time")
    SENT = "sent", _("the sender's `sentAt`")
    TIMESTAMP = "timestamp", _("the sender's `timestamp`")
    CORRECTED = (
        "corrected",
        _("the sender's `timestamp`, by our clock: received - (sent - timestamp)"),
    )
    CAPPED = "capped", _("when it was received: the sender's time was later")
    UNREADABLE = "unreadable", _("when it was received: the sender's time could not be read")


def digest_of_email(address: str) -> UUID:
    """Return the first half of the SHA-256 of the address, trimmed and in lower case."""
    plain = address.strip().lower().encode(errors="replace")
    return UUID(bytes=hashlib.sha256(plain).digest()[:16])


class HitQuerySet(models.QuerySet["Hit"]):
    def events(self, ids: Sequence[UUID], integration: Integration) -> dict[UUID, Event]:
        """Return these hits as the integration's destination sees them, read from the primary."""
        if not ids:
            return {}
        parameters: dict[str, Any] = {
            "token": integration.token_id,
            "ids": list(ids),
            "first": min(ids),
            "last": max(ids),
        }
        with db.write_cursor() as cursor:
            cursor.execute(SQL["events"], parameters)
            return {row[0]: event_of(row, integration) for row in cursor.fetchall()}


def event_of(row: Sequence[Any], integration: Integration) -> Event:
    payload = msgspec.json.decode(row[-1])
    values = dict(zip(FIELDS, row[:-1], strict=True))
    for name in ("sent_at", "received_at", "occurred_at"):
        # In another zone the last day of the year 9999 would overflow.
        values[name] = values[name].replace(tzinfo=UTC)
    return Event(**values, payload=payload, options=options_for(integration, payload))


class Hit(models.Model):
    """A hit, partitioned by day on its UUIDv7 id. Only `ingest.write.store` writes rows.

    `email_hash` is the sender's own; `email_digest` is ours, of an address in the payload, so that
    the search finds it. `country` (ISO 3166), `agent` (a number of its dictionary) and `is_bot` are
    not used yet: they are null until they are looked up.
    """

    id = models.UUIDField(_("id"), primary_key=True)
    token = models.ForeignKey(
        Token,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        verbose_name=_("token"),
    )
    revision = models.PositiveIntegerField(
        _("revision"), help_text=_("The token's configuration when the hit arrived.")
    )
    hit_id = models.CharField(_("hitId"), max_length=255)
    type = models.CharField(_("type"), max_length=50)
    name = models.CharField(_("event"), max_length=255)
    user_id = models.CharField(_("user id"), max_length=255)
    anonymous_id = models.CharField(_("anonymous id"), max_length=255)
    email_hash = models.CharField(_("e-mail hash"), max_length=255)
    email_digest = models.UUIDField(_("email digest"), null=True)
    sent_at = models.DateTimeField(_("sent at"))
    received_at = models.DateTimeField(_("received at"))
    occurred_at = models.DateTimeField(_("occurred at"))
    clock = models.CharField(_("clock"), max_length=10, choices=Clock.choices)
    ip = models.GenericIPAddressField(_("sender's IP"), null=True)
    user_agent = models.TextField(_("sender's user agent"))
    country = models.CharField(_("country"), max_length=2, null=True)  # noqa: DJ001 (null: not looked up)
    agent = models.IntegerField(_("agent"), null=True)
    is_bot = models.BooleanField(_("is bot"), null=True)
    payload = models.JSONField(_("payload"))

    objects = HitQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("hit_id",), name="hitstream_hit_hit_id"),
            models.Index(fields=("token", "id"), name="hitstream_hit_token"),
            models.Index(fields=("name", "id"), name="hitstream_hit_name"),
            models.Index(
                fields=("user_id",), name="hitstream_hit_user", condition=~models.Q(user_id="")
            ),
            models.Index(
                fields=("anonymous_id",),
                name="hitstream_hit_anonymous",
                condition=~models.Q(anonymous_id=""),
            ),
            models.Index(
                fields=("email_hash",),
                name="hitstream_hit_email_hash",
                condition=~models.Q(email_hash=""),
            ),
            models.Index(
                fields=("email_digest",),
                name="hitstream_hit_email",
                condition=models.Q(email_digest__isnull=False),
            ),
        )
        verbose_name = _("hit")
        verbose_name_plural = _("hits")

    def __str__(self) -> str:
        return f"{self.name or self.type} {self.hit_id}"

    @property
    def is_test(self) -> bool:
        """Whether *Send a test event* made the hit."""
        return (self.name, self.anonymous_id) == (TEST_EVENT, TEST_USER)

    @property
    def came_late(self) -> bool:
        """Whether the hit arrived noticeably later than it occurred, as an imported one does."""
        return self.received_at - self.occurred_at > LATE


def options_for(integration: Integration, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options for the integration in a hit's `integrations` object, by the integration's
    name or its destination's."""
    found: dict[str, Any] = {}
    for name, value in (payload.get("integrations") or {}).items():
        if isinstance(value, dict):
            if name.lower() == integration.handle:
                return value
            if integration.destination in registry.slugs_named(name):
                found = value
    return found


class HitKey(models.Model):
    """A known hitId: with the token, unique within the dedup window.

    `digest` is the first half of the hitId's SHA-256: 16 bytes, however long the text. `hit_id` is
    the hit's UUIDv7, and so also holds the time.
    """

    pk = models.CompositePrimaryKey("token_id", "digest")
    token_id = models.BigIntegerField()
    digest = models.UUIDField()
    hit_id = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.token_id}:{self.digest}"
