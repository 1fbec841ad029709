"""Google's own parameters: an Event and the names that Google recommends in, their values out.

Source: "Recommended events"
(https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference/events), the
tables of each event and of its items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tracking.destinations.spec.browsing import (
    find_search,
    read_campaigns,
    read_listing,
    read_step,
)
from tracking.destinations.spec.coerce import plain
from tracking.destinations.spec.ecommerce import LineItem, Sale, read_sale
from tracking.destinations.spec.limits import filled
from tracking.destinations.spec.origins import Path
from tracking.destinations.vendors.google_analytics.limits import MAX_ITEMS, limit
from tracking.events import Event

#: Google's parameter of an item → the field of a LineItem.
ITEM_FIELDS = {
    "item_name": "name",
    "coupon": "coupon",
    "discount": "discount",
    "index": "position",
    "item_brand": "brand",
    "item_category": "categories",
    "item_variant": "variant",
    "price": "price",
    "quantity": "quantity",
}


@dataclass(frozen=True, slots=True)
class Standard:
    """`params` are Google's, `paths` where they were read, `items` the items by their paths, the
    same objects as in `params`."""

    params: dict[str, Any] = field(default_factory=dict)
    paths: frozenset[Path] = frozenset()
    items: Mapping[Path, dict[str, Any]] = field(default_factory=dict)


def read_standard(event: Event, fields: tuple[str, ...]) -> Standard:
    """Return those of the parameters that the event has."""
    if not fields:
        return Standard()
    sale = read_sale(event)
    known = {name: entry for name, entry in _values(event, sale).items() if name in fields}
    params = filled({name: value for name, (value, _) in known.items()})
    paths = {path for name, (_, path) in known.items() if name in params and path}
    listed = sale.items[:MAX_ITEMS] if "items" in fields else ()
    items = [_item(item, sale) for item in listed]
    if items:
        params["items"] = items
    for item in listed:
        paths |= _paths_of(item, sale, "currency" in params)
    if listed and "affiliation" in sale.origins:
        paths.add(sale.origins["affiliation"])
    by_path = {item.path: made for item, made in zip(listed, items, strict=True)}
    return Standard(params, frozenset(paths), by_path)


def _values(event: Event, sale: Sale) -> dict[str, tuple[Any, Path | None]]:
    """Return each of Google's parameters but the items, with the path of its value."""
    listing, step, search = read_listing(event), read_step(event), find_search(event)
    banner = next(iter(read_campaigns(event)), None)
    at, shown = sale.origins, banner.origins if banner else {}
    method = plain(event.properties.get("method"))
    kind = (sale.payment, at.get("payment"))
    name = (listing.name, listing.origins.get("name"))
    return {
        "transaction_id": (sale.order_id, at.get("order_id")),
        "currency": (sale.currency, at.get("currency")),
        "value": (sale.revenue if sale.currency else None, at.get("revenue")),
        "tax": (sale.tax, at.get("tax")),
        "shipping": (sale.shipping, at.get("shipping")),
        "coupon": (sale.coupon, at.get("coupon")),
        "payment_type": kind if sale.payment else (step.option, step.origins.get("option")),
        "item_list_id": (listing.id, listing.origins.get("id")),
        "item_list_name": name if name[0] else (listing.category, listing.origins.get("category")),
        "search_term": (search.term, search.origins.get("term")),
        "method": (method, ("properties", "method")),
        "promotion_id": (banner.id if banner else "", shown.get("id")),
        "promotion_name": (banner.name if banner else "", shown.get("name")),
        "creative_name": (banner.creative if banner else "", shown.get("creative")),
        "creative_slot": (banner.position if banner else "", shown.get("position")),
    }


def _item(item: LineItem, sale: Sale) -> dict[str, Any]:
    levels = zip(("", "2", "3", "4", "5"), item.categories, strict=False)
    values = {
        "item_id": item.id or item.sku,
        "affiliation": sale.affiliation,
        **{param: getattr(item, field) for param, field in ITEM_FIELDS.items()},
        **{f"item_category{place}": level for place, level in levels},
    }
    values["item_category"] = item.categories[0] if item.categories else ""
    return limit(filled(values))


def _paths_of(item: LineItem, sale: Sale, has_currency: bool) -> set[Path]:
    """Return where the item's parameters were read. The currency of an item is the event's."""
    fields = {*ITEM_FIELDS.values(), "id" if item.id else "sku"}
    if has_currency and item.currency == sale.currency:
        fields.add("currency")
    return {path for field, path in item.origins.items() if field in fields}
