"""Amplitude's events: an Event in, the content of Amplitude's "event argument" out.

Source: "HTTP V2 API" (https://amplitude.com/docs/apis/analytics/http-v2), section "Keys for the
event argument": objects of 40 levels; `revenue`, negative for refunds; `revenueType`; and "Batch
Event Upload API", section "Event properties": user property operations in $identify.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from tracking.destinations.spec.coerce import as_object, text, to_number
from tracking.destinations.spec.ecommerce import read_sale
from tracking.destinations.spec.event_names import meaning, own_name
from tracking.destinations.spec.ids import browser_of, user_of
from tracking.destinations.spec.limits import (
    beside,
    describe_campaign,
    describe_sale,
    filled,
    prune,
)
from tracking.destinations.spec.omissions import LeftOut, Rule, without
from tracking.destinations.spec.origins import IDS, Path
from tracking.destinations.spec.person import read_visit
from tracking.events import Event

#: The catalogue's name → the revenue type and its sign: a refund is negative.
REVENUE = {"Completed Transaction": ("Purchase", 1), "Refunded Transaction": ("Refund", -1)}
#: No hit has more elements in a list than a byte for each.
LIMITS = {"depth": 38, "keys": 1_000, "items": 1_000_000}

TOO_MANY = Rule(
    "amplitude_too_many",
    _("Amplitude takes up to 1,000 properties per object."),
    "Amplitude-JavaScript, changelog of version 3.2.0: user properties alike",
    "https://github.com/amplitude/Amplitude-JavaScript/pull/95/files",
    "A single call to logEvent should not have more than 1000 event properties.",
)
ONLY_TRAITS = Rule(
    "amplitude_profile",
    _("An identify event sets user properties and has no event properties."),
    "Batch Event Upload API, keys of an event, user_properties",
    "https://amplitude.com/docs/apis/analytics/batch-event-upload",
    "User property operations ($set, $setOnce, $add, $append, $unset) are supported when event_type"
    " is $identify.",
)
RULES = (TOO_MANY, ONLY_TRAITS)


def event_of(event: Event, cut: list[Path] | None = None) -> dict[str, Any]:
    """Return Amplitude's event. Times are in milliseconds. The sender's own properties stay as they
    are; derived ones stand beside them. The paths of what is left out are added to `cut`."""
    identify = event.type == "identify"
    properties = (
        {} if identify else prune(event.properties, **LIMITS, cut=cut, path=("properties",))
    )
    derived = {} if identify else {**describe_campaign(event), **describe_sale(event)}
    named = {name: value for name, value in event.traits.items() if name not in IDS}
    traits = prune(named, **LIMITS, cut=cut, path=("traits",))
    return filled(
        {
            "user_id": user_of(event),
            "device_id": browser_of(event),
            "event_type": "$identify" if identify else own_name(event),
            "time": int(event.occurred_at.timestamp() * 1000),
            "insert_id": str(event.id),
            "event_properties": beside(properties, derived),
            "user_properties": {"$set": traits} if identify and traits else traits,
            **_device(event),
            **_revenue(event),
        }
    )


def left_out_of(event: Event) -> LeftOut:
    cut: list[Path] = []
    event_of(event, cut)
    lost = without(event, [("traits",)], ONLY_TRAITS) if event.type == "identify" else {}
    return {**lost, **dict.fromkeys(cut, TOO_MANY)}


def _device(event: Event) -> dict[str, Any]:
    context, visit = event.context, read_visit(event)
    os, device = as_object(context.get("os")), as_object(context.get("device"))
    session = to_number(event.options.get("session_id"))
    return {
        "ip": visit.ip,
        "language": visit.locale,
        "os_name": text(os, "name"),
        "os_version": text(os, "version"),
        "device_brand": text(device, "manufacturer", "vendor"),
        "device_model": text(device, "model"),
        "app_version": text(as_object(context.get("app")), "version"),
        "session_id": int(session) if session and session > 0 else None,
    }


def _revenue(event: Event) -> dict[str, Any]:
    """Return the revenue of an order or a refund, without tax and shipping."""
    kind, sign = REVENUE.get(meaning(event), ("", 0))
    revenue = read_sale(event).revenue if kind else None
    return {} if revenue is None else {"revenue": sign * abs(revenue), "revenueType": kind}
