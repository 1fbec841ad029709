"""The meaning of an event: an Event in, its name in the catalogue out, independent of the sender.

Sources: the event catalogue of the public HTTP API's vendor (segmentstream-com.github.io,
`_docs/events`), and "Spec: V2 Ecommerce Events" and "Spec: B2B SaaS"
(https://segment.com/docs/connections/spec/ecommerce/v2/), whose names are translated. The event
table of every vendor is keyed by the names of the catalogue only.
"""

from __future__ import annotations

from collections.abc import Mapping

from tracking.events import Event

#: Segment's names and older names of the catalogue → the catalogue's names.
ALIASES = {
    "Products Searched": "Searched Products",
    "Searched": "Searched Products",
    "Product List Viewed": "Viewed Product Listing",
    "Viewed Product Category": "Viewed Product Listing",
    "Product Clicked": "Clicked Product",
    "Product Viewed": "Viewed Product Detail",
    "Product Added": "Added Product",
    "Wishlist Product Added to Cart": "Added Product",
    "Product Removed": "Removed Product",
    "Product Added to Wishlist": "Added Product to Wishlist",
    "Product Removed from Wishlist": "Removed Product from Wishlist",
    "Cart Viewed": "Viewed Cart",
    "Checkout Started": "Started Order",
    "Checkout Step Viewed": "Viewed Checkout Step",
    "Checkout Step Completed": "Completed Checkout Step",
    "Payment Info Entered": "Added Payment Info",
    "Order Completed": "Completed Transaction",
    "Order Updated": "Updated Transaction",
    "Order Refunded": "Refunded Transaction",
    "Promotion Viewed": "Viewed Campaign",
    "Promotion Clicked": "Clicked Campaign",
    "Experiment Viewed": "Viewed Experiment",
    "Signed Up": "Registered",
    "Signed In": "Logged In",
}
CATALOGUE = (
    "Viewed Page",
    "Viewed Screen",
    "Viewed Product Detail",
    "Viewed Product Listing",
    "Searched Products",
    "Viewed Product",
    "Clicked Product",
    "Added Product",
    "Removed Product",
    "Added Product to Wishlist",
    "Removed Product from Wishlist",
    "Updated Cart",
    "Viewed Cart",
    "Started Order",
    "Viewed Checkout Step",
    "Completed Checkout Step",
    "Added Payment Info",
    "Completed Transaction",
    "Updated Transaction",
    "Refunded Transaction",
    "Viewed Campaign",
    "Clicked Campaign",
    "Viewed Experiment",
    "Achieved Experiment Goal",
    "Registered",
    "Logged In",
    "Lead",
    "Subscribed",
    "Unsubscribed",
    "Updated Profile Info",
    "Received Voucher",
)
#: The event by which something is sold.
BOUGHT = "Completed Transaction"

_KNOWN = {
    **{name.casefold(): name for name in CATALOGUE},
    **{alias.casefold(): name for alias, name in ALIASES.items()},
}
_TYPES: Mapping[str, str] = {"page": "Viewed Page", "screen": "Viewed Screen"}


def meaning(event: Event) -> str:
    """Return the catalogue's name of the event; for an unknown event its own name; "" without a
    name."""
    if event.type != "track":
        return _TYPES.get(event.type, "")
    return _KNOWN.get(event.name.strip().casefold(), event.name.strip())


def own_name(event: Event) -> str:
    """Return the event's name as the sender wrote it; the catalogue's for pages and screens."""
    return event.name.strip() if event.type == "track" else meaning(event)
