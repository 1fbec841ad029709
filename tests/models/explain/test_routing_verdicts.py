"""Every view of a stored hit agrees with the routing that was decided when it was stored."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.db import connection

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.operations import backfill, work
from tracking.models import Hit, Integration, QueuedDelivery, Token
from tracking.models.explain.hit_history import hit_history
from tracking.models.upkeep.reconcile import reconcile
from tracking.routing.switches import switches as read_switches
from tracking.routing.verdicts import RoutingVerdict

pytestmark = pytest.mark.django_db(transaction=True)

STATES = ("running", "paused", "disabled", "draining", "deleted")
NAMES = ("Registered", "Bought", "")
EVENTS: tuple[list[str], ...] = ([], ["Registered"], ["Bought", "Left"])
#: The first integration is named as its state and its place in EVENTS.
SWITCHES: tuple[dict[str, Any] | None, ...] = (
    None,
    {},
    {"All": False},
    {"All": True, "all": False},
    {"All": False, "RUNNING 0": True},
    {"All": False, "webhook": {"option": 1}},
    {"Webhook": False},
    {"Webhook": False, "running 1": True, "paused 0": {}},
    {"webhook": True, "Webhook": False},
    {"webhook": False, "Webhook": True},
    {"running 0": False, "Running 0": True},
    {"running 0": None, "paused 1": 0},
    {"Mixpanel": False, "Elsewhere": False},
)
SWITCHED = "the hit's own `integrations` object switches it off"


def furnish(token: Token) -> None:
    """An integration in each state for each choice of events."""
    for state, (place, names) in product(STATES, enumerate(EVENTS)):
        integration = add_webhook(token, name=f"{state.capitalize()} {place}", event_names=names)
        if state == "paused":
            integration.pause(reason="Moving", by="anna")
        elif state == "disabled":
            integration.enabled = False
            integration.save()
        elif state == "draining":
            integration.drain()
        elif state == "deleted":
            integration.mark_deleted()


def judged(stored: Hit) -> dict[str, RoutingVerdict]:
    found = (route.verdict for route in hit_history(stored).routes)
    return {verdict.name: verdict for verdict in found if verdict}


def matched(stored: Hit) -> set[str]:
    return {name for name, verdict in judged(stored).items() if verdict.matched}


def send_all(send: Send) -> None:
    """Send a hit for each `integrations` object and each name of an event."""
    for number, switches in enumerate(SWITCHES):
        for name in NAMES:
            event = {"name": name, "user": {"userId": "u1"}}
            sent = hit(hitId=f"{name}-{number}", event=event, integrations=switches)
            assert send(sent).status_code == 204


def queued_by_hit() -> dict[UUID, set[str]]:
    queued: dict[UUID, set[str]] = {stored.pk: set() for stored in Hit.objects.all()}
    for row in QueuedDelivery.objects.select_related("integration"):
        queued[row.hit_id].add(row.integration.name)
    return queued


def is_routed(integration: Integration, stored: Hit) -> bool:
    """Return what the SQL function decides, as the storing statement calls it."""
    switched = read_switches(stored.payload.get("integrations") or {})
    parameters = (
        integration.event_names,
        integration.handle,
        integration.destination,
        stored.name,
        None if switched is None else msgspec.json.encode(switched).decode(),
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT hitstream_is_routed(%s, %s, %s, %s, %s::jsonb)", parameters)
        answer: bool = cursor.fetchone()[0]
    return answer


def lost_by_hit() -> dict[UUID, set[str]]:
    """Return the integrations that each hit was for without a delivery, by the reconciliation."""
    now = datetime.now(UTC)
    by_title = {str(each): each.name for each in Integration.objects.select_related("token")}
    lost: dict[UUID, set[str]] = {stored.pk: set() for stored in Hit.objects.all()}
    for each in reconcile(now - timedelta(hours=1), now + timedelta(hours=1)):
        if "left no trace" in each.what:
            for pk in each.hits:
                lost[pk].add(by_title[each.whose])
    return lost


def test_all_five_places_route_alike(send: Send, token: Token, no_lag: None) -> None:
    """The storing statement, its SQL function, `Integration.wants`, the verdicts, the
    reconciliation and the backfill decide the same for every case."""
    furnish(token)
    send_all(send)
    queued = queued_by_hit()
    hits = list(Hit.objects.all())
    assert len(hits) == len(SWITCHES) * len(NAMES)
    assert {stored.pk: matched(stored) for stored in hits} == queued
    wanted: dict[UUID, set[str]] = {stored.pk: set() for stored in hits}
    for integration, stored in product(Integration.objects.present(), hits):
        wants = integration.wants(stored.name, stored.payload.get("integrations") or {})
        assert is_routed(integration, stored) == wants, (integration, stored.hit_id)
        if wants and integration.enabled:
            wanted[stored.pk].add(integration.name)
    assert wanted == queued
    assert lost_by_hit() == {stored.pk: set() for stored in hits}
    QueuedDelivery.objects.all().delete()
    assert lost_by_hit() == queued
    for integration in Integration.objects.present().filter(enabled=True):
        backfill(integration)
    work()
    assert queued_by_hit() == queued


def test_it_is_what_was_owed_whatever_was_edited_later(send: Send, token: Token) -> None:
    furnish(token)
    send_all(send)
    queued = queued_by_hit()
    assert {len(names) for names in queued.values()} > {0, 1, 2, 4}
    before = {stored.pk: judged(stored) for stored in Hit.objects.all()}
    for stored in Hit.objects.all():
        assert matched(stored) == queued[stored.pk], stored.hit_id
    for integration in Integration.objects.present():
        integration.name = f"New {integration.name}"
        integration.enabled, integration.event_names = not integration.enabled, ["Elsewhere"]
        integration.save(by="anna")
    add_webhook(token, name="Added")
    assert {stored.pk: judged(stored) for stored in Hit.objects.all()} == before


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Disabled 0", "disabled at that time"),
        ("Draining 0", "draining: it only sent what was queued before"),
        ("Deleted 0", "deleted at that time"),
        ("Running 2", "only receives Bought, Left"),
        ("Running 1", f'{SWITCHED}: {{"RUNNING 1": false}}'),
        ("Paused 1", f'{SWITCHED}: {{"All": false}}'),
    ],
)
def test_it_says_exactly_why_not(send: Send, token: Token, name: str, why: str) -> None:
    furnish(token)
    send(hit(integrations={"All": False, "Webhook": None, "RUNNING 1": False, "Running 0": True}))
    found = judged(Hit.objects.get())
    assert (found[name].matched, found[name].why) == (False, why)
    assert found["Running 0"].matched


def test_it_says_that_an_operator_had_paused_it(send: Send, token: Token) -> None:
    furnish(token)
    send(hit())
    found = judged(Hit.objects.get())["Paused 0"]
    assert (found.matched, found.paused) == (True, "Paused at that time by anna: Moving")
    assert not judged(Hit.objects.get())["Running 0"].paused
