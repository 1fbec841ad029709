"""What was shown to the visitor: an Event in, a Listing, Campaigns, a search or a CheckoutStep out.

Both payload shapes are read, as in `ecommerce`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tracking.destinations.spec.coerce import Number, as_object, number, split_category, text
from tracking.destinations.spec.ecommerce import raw_items
from tracking.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    id: str
    name: str
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A banner inside the shop."""

    id: str
    name: str
    creative: str
    position: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutStep:
    """A step of the checkout."""

    number: Number | None
    option: str


def read_listing(event: Event) -> Listing:
    properties = event.properties
    listing = as_object(properties.get("listing")) or next(raw_items(properties, properties), {})
    both = {**properties, **listing}
    return Listing(
        id=text(both, "listId", "list_id"),
        name=text(both, "listName", "list_name", "list"),
        category="/".join(split_category(listing.get("category") or properties.get("category"))),
    )


def read_campaigns(event: Event) -> tuple[Campaign, ...]:
    """Return the banners that were seen or clicked. Some senders state their ids only."""
    properties = event.properties
    listed = properties.get("campaigns") or [properties.get("campaign") or properties]
    return tuple(
        Campaign(
            id=text(raw, "id", "promotion_id"),
            name=text(raw, "name"),
            creative=text(raw, "design", "creative"),
            position=text(raw, "position"),
        )
        for raw in (
            each if isinstance(each, Mapping) else {"id": each}
            for each in (listed if isinstance(listed, list) else [listed])
        )
        if text(raw, "id", "promotion_id", "name")
    )


def read_search(event: Event) -> str:
    """Return the search term."""
    properties = event.properties
    return text(as_object(properties.get("listing")), "query") or text(
        properties, "query", "search_string"
    )


def read_step(event: Event) -> CheckoutStep:
    properties = event.properties
    return CheckoutStep(
        number=number(properties, "step"),
        option=text(properties, "option", "payment_method", "shipping_method"),
    )
