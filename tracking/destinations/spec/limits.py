"""Properties for analytics stores: an Event in, JSON that a vendor's limits allow out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tracking.destinations.spec.ecommerce import read_sale
from tracking.destinations.spec.person import read_clicks
from tracking.events import Event

#: The campaign that brought the visitor, by the names that stores know.
UTM = ("source", "medium", "name", "term", "content")


def describe_sale(event: Event) -> dict[str, Any]:
    """What is sold, under the same names whichever payload shape it came in."""
    sale = read_sale(event)
    told = {
        "order_id": sale.order_id,
        "revenue": sale.revenue,
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
    return filled({**told, "items": items}) if items or sale.order_id else {}


def describe_campaign(event: Event) -> dict[str, str]:
    """`utm_source` and so on."""
    campaign = event.context.get("campaign")
    if not isinstance(campaign, Mapping):
        return {}
    named = {f"utm_{'campaign' if name == 'name' else name}": campaign.get(name) for name in UTM}
    return filled({**named, **{k: v for k, v in read_clicks(event).items() if "clid" in k}})


def filled(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is None, empty text or an empty list."""
    return {name: value for name, value in raw.items() if value not in (None, "", [], {})}


def prune(value: Any, *, depth: int, keys: int, items: int) -> Any:
    """The value with at most so many levels, keys an object and items a list.

    What lies deeper becomes its JSON text, so that it can still be read.
    """
    if not isinstance(value, (Mapping, list)):
        return value
    if depth == 0:
        return msgspec.json.encode(value).decode()
    if isinstance(value, Mapping):
        return {
            name: prune(each, depth=depth - 1, keys=keys, items=items)
            for name, each in list(value.items())[:keys]
        }
    return [prune(each, depth=depth - 1, keys=keys, items=items) for each in value[:items]]
