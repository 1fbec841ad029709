"""What was shown to the visitor: an Event in, a Listing, Campaigns, a search or a CheckoutStep out.

Both payload shapes are read, as in `ecommerce`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tracking.destinations.spec.coerce import Number, plain
from tracking.destinations.spec.ecommerce import item_places, read_category
from tracking.destinations.spec.origins import Origins, Place, once, properties_of
from tracking.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    id: str
    name: str
    category: str
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A banner inside the shop."""

    id: str
    name: str
    creative: str
    position: str
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutStep:
    """A step of the checkout."""

    number: Number | None
    option: str
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the visitor searched for."""

    term: str
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)


@once
def read_listing(event: Event) -> Listing:
    properties, origins = properties_of(event), Origins()
    listing = properties.inside("listing")
    listing = listing if listing.raw else next(item_places(event), listing)
    both = [listing, properties]
    levels = origins.first("category", both, ("category",), read_category)
    return Listing(
        id=origins.text("id", both, "listId", "list_id"),
        name=origins.text("name", both, "listName", "list_name", "list"),
        category="/".join(levels or ()),
        origins=origins,
    )


@once
def read_campaigns(event: Event) -> tuple[Campaign, ...]:
    """Return the banners that were seen or clicked. Some senders state their ids only."""
    return tuple(campaign for campaign in _banners(event) if campaign.id or campaign.name)


def read_search(event: Event) -> str:
    """Return the search term."""
    return find_search(event).term


@once
def find_search(event: Event) -> Search:
    """Return the search term and where it stands."""
    properties, origins = properties_of(event), Origins()
    term = origins.text("term", [properties.inside("listing")], "query")
    term = term or origins.text("term", [properties], "query", "search_string")
    return Search(term=term, origins=origins)


def read_step(event: Event) -> CheckoutStep:
    places, origins = [properties_of(event)], Origins()
    return CheckoutStep(
        number=origins.number("number", places, "step"),
        option=origins.text("option", places, "option", "payment_method", "shipping_method"),
        origins=origins,
    )


def _banners(event: Event) -> Iterator[Campaign]:
    properties = properties_of(event)
    name = next((n for n in ("campaigns", "campaign") if properties.raw.get(n)), "")
    if not name:
        yield _campaign(properties)
        return
    value, path = properties.raw[name], (*properties.path, name)
    for index, each in enumerate(value if isinstance(value, list) else [value]):
        at = (*path, str(index)) if isinstance(value, list) else path
        if isinstance(each, Mapping):
            yield _campaign(Place(at, each))
        else:
            yield Campaign(
                id=plain(each), name="", creative="", position="", origins=Origins(id=at)
            )


def _campaign(place: Place) -> Campaign:
    origins, at = Origins(), [place]
    return Campaign(
        id=origins.text("id", at, "id", "promotion_id"),
        name=origins.text("name", at, "name"),
        creative=origins.text("creative", at, "design", "creative"),
        position=origins.text("position", at, "position"),
        origins=origins,
    )
