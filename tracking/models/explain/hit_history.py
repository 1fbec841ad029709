"""The history of a hit, from its arrival until now: everything on record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from tracking.conf import conf
from tracking.models.deliveries.delivery import OPEN, Delivery, DeliveryState, present
from tracking.models.deliveries.outcome import Outcome
from tracking.models.deliveries.queue import QueuedDelivery
from tracking.models.explain.normalisations import normalisations
from tracking.models.explain.timeline import TimelineEntry, timeline
from tracking.models.hits.duplicate import Duplicate
from tracking.models.hits.hit import Hit
from tracking.models.integrations.integration import Integration
from tracking.models.tokens.privacy import IpPolicy
from tracking.models.tokens.revision import Revision
from tracking.routing.verdicts import RoutingVerdict, routing_verdicts

#: The maximum of outcomes in a history, the latest ones.
LATEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRoute:
    """An integration, the verdict whether the hit was routed to it on arrival (None if that is not
    on record), and the state of the delivery; None if nothing was ever queued. `is_claimed`: a
    worker is sending it. `is_late`: a backfill queued it later."""

    integration: Integration
    verdict: RoutingVerdict | None
    delivery: Delivery | None
    is_claimed: bool
    is_late: bool

    @property
    def was_queued(self) -> bool:
        """Whether the hit was queued for the integration, on arrival or later."""
        return self.is_late or (self.verdict is not None and self.verdict.matched)

    @property
    def is_open(self) -> bool:
        """Whether the delivery is not at its end."""
        return self.delivery is not None and self.delivery.state in OPEN

    @property
    def is_due(self) -> bool:
        since = self.delivery.since if self.delivery else None
        return since is not None and since <= timezone.now()

    @property
    def can_be_replayed(self) -> bool:
        return self._is(DeliveryState.DEAD) and self.integration.deleted_at is None

    @property
    def can_be_retried_now(self) -> bool:
        """Whether the delivery waits only for the time of its next attempt."""
        is_waiting = self._is(DeliveryState.RETRYING) and not self.is_claimed
        return is_waiting and self.delivery is not None and not self.delivery.held_back

    def _is(self, state: DeliveryState) -> bool:
        return self.delivery is not None and self.delivery.state == state


@dataclass(frozen=True, slots=True, kw_only=True)
class HitHistory:
    """`snapshot` is the token's configuration when the hit arrived, empty if that is not on record.
    The same hitId counts as a duplicate until `deduplicated_until`."""

    hit: Hit
    snapshot: Mapping[str, Any]
    normalisations: tuple[str, ...]
    duplicate: Duplicate | None
    deduplicated_until: datetime
    routes: tuple[DeliveryRoute, ...]
    timeline: tuple[TimelineEntry, ...]
    is_whole: bool

    @property
    def policy(self) -> str:
        """The token's IP policy when the hit arrived; empty if there was no address to apply it
        to."""
        policy = self.snapshot.get("ip_policy", "")
        if self.hit.ip is None and policy != IpPolicy.DROP:
            return ""
        return str(IpPolicy(policy).label) if policy else ""

    @property
    def has_own_id(self) -> bool:
        """Whether the sender set the hitId."""
        return self.hit.hit_id != str(self.hit.pk)

    @property
    def is_deduplicated(self) -> bool:
        """Whether the same hitId would be a duplicate now."""
        return self.has_own_id and timezone.now() < self.deduplicated_until

    @property
    def payload(self) -> str:
        return json.dumps(self.hit.payload, indent=2, ensure_ascii=False)

    @property
    def library(self) -> str:
        """The library that sent the hit, as the payload names it."""
        library = (self.hit.payload.get("context") or {}).get("library")
        if not isinstance(library, Mapping):
            return ""
        return " ".join(str(library[key]) for key in ("name", "version") if library.get(key))

    @property
    def is_under_way(self) -> bool:
        """Whether a delivery waits for an attempt, or for its result."""
        states = (DeliveryState.QUEUED, DeliveryState.RETRYING)
        return any(route.delivery.state in states for route in self.routes if route.delivery)

    @property
    def queued(self) -> list[DeliveryRoute]:
        """The routes that have a delivery."""
        return [route for route in self.routes if route.delivery is not None]


def hit_history(hit: Hit) -> HitHistory:
    """Return the history of the hit. Reads its token if it is not loaded."""
    revision = Revision.objects.filter(token=hit.token_id, number=hit.revision).first()
    snapshot: Mapping[str, Any] = revision.configuration() if revision else {}
    latest = Outcome.objects.filter(hit_id=hit.pk).order_by("-settled_at")
    outcomes = list(latest.select_related("integration")[: LATEST + 1])
    return HitHistory(
        hit=hit,
        snapshot=snapshot,
        normalisations=tuple(normalisations(hit, snapshot.get("ip_policy", ""))),
        duplicate=Duplicate.objects.filter(pk=hit.pk).first(),
        deduplicated_until=hit.received_at + timedelta(seconds=conf.DEDUP_WINDOW),
        routes=_routes(hit, snapshot),
        timeline=timeline(hit, outcomes[:LATEST]),
        is_whole=len(outcomes) <= LATEST,
    )


def _routes(hit: Hit, snapshot: Mapping[str, Any]) -> tuple[DeliveryRoute, ...]:
    """Return the integrations that the token had when the hit arrived, then those that got the hit
    later."""
    verdicts = {
        verdict.integration_id: verdict
        for verdict in routing_verdicts(
            snapshot, name=hit.name, integrations=hit.payload.get("integrations") or {}
        )
    }
    rows = Delivery.objects.filter(hit_id=hit.pk).select_related("integration")
    delivered = {delivery.integration_id: delivery for delivery in present(rows)}
    leased = QueuedDelivery.objects.filter(hit_id=hit.pk, claims__gt=0, due_at__gt=timezone.now())
    claimed = set(leased.values_list("integration", flat=True))
    matched = {pk for pk, verdict in verdicts.items() if verdict.matched}
    late = delivered.keys() - matched if snapshot else set()
    integrations = Integration.objects.in_bulk({*verdicts, *delivered})
    return tuple(
        DeliveryRoute(
            integration=integrations[pk],
            verdict=verdicts.get(pk),
            delivery=delivered.get(pk),
            is_claimed=pk in claimed,
            is_late=pk in late,
        )
        for pk in sorted(integrations, key=lambda pk: (pk not in verdicts, integrations[pk].name))
    )
