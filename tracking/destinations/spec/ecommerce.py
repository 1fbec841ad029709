"""Goods and money: an Event in, a Sale with its LineItems out.

Both payload shapes are read: the public HTTP API's objects (`transaction`, `cart`, `product`,
`listItems`, …) and Segment's e-commerce properties (`order_id`, `products`, `product_id`, …).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tracking.destinations.spec.coerce import (
    Number,
    as_object,
    number,
    plain,
    read_currency,
    split_category,
    text,
    to_number,
)
from tracking.destinations.spec.origins import Origins, Path, Place, once, properties_of
from tracking.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """A product and its quantity. `price` is the price of one piece, `discount` its reduction per
    piece. `categories` run from the widest to the narrowest. `path` is where the line stands."""

    id: str
    sku: str
    name: str
    brand: str
    variant: str
    coupon: str
    currency: str
    url: str
    image: str
    categories: tuple[str, ...]
    price: Number | None
    discount: Number | None
    quantity: Number | None
    position: Number | None
    path: Path = ()
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An order, a cart, or the products of an event.

    `revenue` is the value of the goods, without tax and shipping; `total` is the amount paid.
    """

    order_id: str
    currency: str
    revenue: Number | None
    total: Number | None
    tax: Number | None
    shipping: Number | None
    discount: Number | None
    coupon: str
    affiliation: str
    payment: str
    items: tuple[LineItem, ...]
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)


@once
def read_sale(event: Event) -> Sale:
    """Return the sale of the event; its fields are empty if the event has none."""
    properties, body = properties_of(event), _body(event)
    read = (read_item(place) for place in item_places(event))
    items = tuple(item for item in read if item.id or item.sku or item.name)
    origins, places = Origins(), [body]
    website = as_object(event.payload.get("website"))
    currency = _stated_currency(origins, event)
    return Sale(
        order_id=origins.text("order_id", places, "orderId", "order_id"),
        currency=currency or read_currency(*(i.currency for i in items), website.get("currency")),
        revenue=_revenue(origins, body, items),
        total=origins.number("total", places, "total"),
        tax=origins.number("tax", places, "tax"),
        shipping=origins.number("shipping", places, "shippingCost", "shipping"),
        discount=origins.number("discount", places, "voucherDiscount", "discount"),
        coupon=origins.first("coupon", places, ("vouchers", "voucher", "coupon"), _codes) or "",
        affiliation=origins.text("affiliation", places, "affiliation"),
        payment=origins.text("payment", [body, properties], "paymentMethod", "payment_method"),
        items=items,
        origins=origins,
    )


def worth(sale: Sale) -> Number | None:
    """Return the amount paid; without it the value of the goods."""
    return sale.revenue if sale.total is None else sale.total


def read_amount(event: Event) -> tuple[Number | None, str]:
    """Return the amount that the sender states, and its currency: the revenue, else the total, else
    the value. It is that of the order, not of a cart. Nothing is calculated."""
    origins, properties = Origins(), properties_of(event)
    order = properties.inside("transaction")
    place = order if order.raw else properties
    amount = origins.number("amount", [place], "revenue", "total", "value")
    if amount is None:
        return None, ""
    # Reading the goods takes longer than all the rest: their currency is the last resort.
    return amount, _stated_currency(origins, event) or read_sale(event).currency


def read_item(place: Place) -> LineItem:
    """Return the LineItem of an order line, a listed product or a bare product."""
    inner = place.inside("product")
    product = inner if inner.raw else place
    origins, at = Origins(), [product]
    usual = number(product.raw, "unitPrice")
    price = origins.number("price", at, "unitSalePrice", "price", "unitPrice")
    discount = None
    if usual is not None and price is not None and usual > price:
        discount = to_number(round(usual - price, 6))
        origins["discount"] = (*product.path, "unitPrice")
    quantity = origins.number("quantity", [place], "quantity")
    return LineItem(
        id=origins.text("id", at, "id", "product_id", "productId"),
        sku=origins.text("sku", at, "skuCode", "sku"),
        name=origins.text("name", at, "name"),
        brand=origins.text("brand", at, "manufacturer", "brand"),
        variant=origins.text("variant", at, "variant", "color", "size"),
        coupon=origins.text("coupon", at, "voucher", "coupon"),
        currency=origins.first("currency", at, ("currency",), read_currency) or "",
        url=origins.text("url", at, "url"),
        image=origins.text("image", at, "imageUrl", "image_url", "thumbnailUrl"),
        categories=origins.first("categories", at, ("category",), read_category) or (),
        price=price,
        discount=discount,
        quantity=quantity or origins.number("quantity", at, "quantity"),
        position=origins.number("position", [place], "position", "index"),
        path=place.path,
        origins=origins,
    )


def item_places(event: Event) -> Iterator[Place]:
    """Yield the items of the first place that has any: an order or a cart, a list, one product."""
    properties, body = properties_of(event), _body(event)
    for place, name in (
        *((body, each) for each in ("lineItems", "items", "products")),
        *((properties, each) for each in ("lineItems", "listItems")),
        (properties.inside("listing"), "items"),
        (properties, "listItem"),
    ):
        if place.raw.get(name) and (found := list(_objects(place, name))):
            yield from found
            return
    if as_object(properties.raw.get("product")) or text(properties.raw, "product_id", "sku"):
        yield properties


def _objects(place: Place, name: str) -> Iterator[Place]:
    """Yield the objects of the list, or the one object, under this name."""
    value, path = place.raw[name], (*place.path, name)
    if isinstance(value, dict):
        yield Place(path, value)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            if isinstance(each, dict):
                yield Place((*path, str(index)), each)


@once
def _body(event: Event) -> Place:
    """Return the order or the cart; without either, the properties themselves."""
    properties = properties_of(event)
    places = (properties.inside(name) for name in ("transaction", "cart"))
    return next((place for place in places if place.raw), properties)


def _stated_currency(origins: Origins, event: Event) -> str:
    """Return the currency of the order or the cart, else of the event."""
    places = [_body(event), properties_of(event)]
    return origins.first("currency", places, ("currency",), read_currency) or ""


def _revenue(origins: Origins, body: Place, items: tuple[LineItem, ...]) -> Number | None:
    stated = origins.number("revenue", [body], "revenue", "subtotal", "value")
    if stated is not None:
        return stated
    prices = [item.price * (item.quantity or 1) for item in items if item.price is not None]
    if prices:
        return to_number(round(sum(prices), 6))
    return origins.number("revenue", [body], "total")


def _codes(value: Any) -> str:
    """Return a voucher, or a list of them joined with commas."""
    return ",".join(map(plain, value)) if isinstance(value, list) else plain(value)


def read_category(value: Any) -> tuple[str, ...] | None:
    """Return the levels of a category; None without any."""
    return split_category(value) or None
