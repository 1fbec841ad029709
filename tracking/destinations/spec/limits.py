"""Properties for analytics vendors: an Event in, JSON within a vendor's limits out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tracking.destinations.spec.ecommerce import read_sale
from tracking.destinations.spec.event_names import BOUGHT, meaning
from tracking.destinations.spec.origins import Path
from tracking.destinations.spec.person import read_clicks
from tracking.events import Event

#: The keys of the campaign that led the visitor to the site, by the names that vendors know.
UTM = ("source", "medium", "name", "term", "content")


def describe_sale(event: Event) -> dict[str, Any]:
    """Return the sale under the same keys for both payload shapes.

    There is revenue only where something was bought: the price of a product that was looked at is
    none.
    """
    sale = read_sale(event)
    totals = {
        "order_id": sale.order_id,
        "revenue": sale.revenue if meaning(event) == BOUGHT else None,
        "total": sale.total,
        "tax": sale.tax,
        "shipping": sale.shipping,
        "currency": sale.currency,
        "coupon": sale.coupon,
    }
    items = [
        filled(
            {
                "id": item.id,
                "sku": item.sku,
                "name": item.name,
                "brand": item.brand,
                "category": "/".join(item.categories),
                "variant": item.variant,
                "price": item.price,
                "quantity": item.quantity,
            }
        )
        for item in sale.items
    ]
    return filled({**totals, "items": items}) if items or sale.order_id else {}


def describe_campaign(event: Event) -> dict[str, str]:
    """Return `utm_source` and the other campaign parameters, and click ids."""
    campaign = event.context.get("campaign")
    if not isinstance(campaign, Mapping):
        return {}
    named = {f"utm_{'campaign' if name == 'name' else name}": campaign.get(name) for name in UTM}
    return filled({**named, **{k: v for k, v in read_clicks(event).items() if "clid" in k}})


def filled(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries whose value is not None, empty text, an empty list or an empty object."""
    return {name: value for name, value in raw.items() if value not in (None, "", [], {})}


def beside(own: Mapping[str, Any], derived: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sender's own entries and, beside them, the derived ones. No own entry is
    replaced."""
    return {**own, **{name: value for name, value in derived.items() if name not in own}}


def prune(
    value: Any, *, depth: int, keys: int, items: int, cut: list[Path] | None = None, path: Path = ()
) -> Any:
    """Return the value with at most `depth` levels, `keys` entries per object and `items` per list;
    the same value if it is within these limits.

    Deeper values become JSON text, so that they stay readable. The paths of what is left out are
    added to `cut`.
    """
    if fits(value, depth, keys, items):
        return value
    if depth == 0:
        return msgspec.json.encode(value).decode()
    is_object = isinstance(value, dict)
    limit = keys if is_object else items
    listed = list(value.items() if is_object else enumerate(value))
    if cut is not None:
        cut.extend((*path, str(name)) for name, _ in listed[limit:])
    limits: dict[str, Any] = {"depth": depth - 1, "keys": keys, "items": items, "cut": cut}
    kept = {name: prune(each, **limits, path=(*path, str(name))) for name, each in listed[:limit]}
    return kept if is_object else list(kept.values())


def fits(value: Any, depth: int, keys: int, items: int) -> bool:
    """Return whether the value is within these limits. It is for nearly all, and to see that takes
    less time than a copy."""
    if not isinstance(value, (dict, list)):
        return True
    if depth == 0 or len(value) > (keys if isinstance(value, dict) else items):
        return False
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, (dict, list)) and not fits(each, depth - 1, keys, items):
            return False
    return True
