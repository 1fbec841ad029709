"""What became of a hit, from its arrival to this moment: all that is on record of it."""

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

#: Outcomes that are told at the most, the latest ones.
LATEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRoute:
    """An integration, whether the hit was for it when it arrived (None where that is not on
    record), and how the delivery stands; None where nothing was ever queued. `is_claimed`: a worker
    is at it. `is_late`: it was queued later, by a backfill."""

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
        """Whether something is still to be done."""
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
        """Whether nothing but its time is in the route."""
        is_waiting = self._is(DeliveryState.RETRYING) and not self.is_claimed
        return is_waiting and self.delivery is not None and not self.delivery.held_back

    def _is(self, state: DeliveryState) -> bool:
        return self.delivery is not None and self.delivery.state == state


@dataclass(frozen=True, slots=True, kw_only=True)
class HitHistory:
    """`snapshot` is the token's configuration when the hit arrived, empty where that is not on
    record. A repetition counts as the same hit until `known_until`."""

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
        """What the token said of addresses then."""
        policy = self.snapshot.get("ip_policy", "")
        return str(IpPolicy(policy).label) if policy else ""

    @property
    def has_own_id(self) -> bool:
        """Whether its hitId is the sender's."""
        return self.hit.hit_id != str(self.hit.pk)

    @property
    def is_deduplicated(self) -> bool:
        """Whether its hitId would be known if it came again."""
        return self.has_own_id and timezone.now() < self.deduplicated_until

    @property
    def payload(self) -> str:
        return json.dumps(self.hit.payload, indent=2, ensure_ascii=False)

    @property
    def library(self) -> str:
        """What sent it, by its own account."""
        library = (self.hit.payload.get("context") or {}).get("library")
        if not isinstance(library, Mapping):
            return ""
        return " ".join(str(library[key]) for key in ("name", "version") if library.get(key))

    @property
    def queued(self) -> list[DeliveryRoute]:
        """Those that it went to, or is to go to."""
        return [route for route in self.routes if route.delivery is not None]


def hit_history(hit: Hit) -> HitHistory:
    """The whole story. The hit's token is read if it was not yet."""
    revision = Revision.objects.filter(token=hit.token_id, number=hit.revision).first()
    snapshot: Mapping[str, Any] = revision.snapshot if revision else {}
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
    """Those that the token had when the hit arrived, then those that got it later."""
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
