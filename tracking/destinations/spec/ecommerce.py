"""Goods and money: an Event in, a Sale with its LineItems out.

Both payload shapes are read: the public HTTP API's objects (`transaction`, `cart`, `product`,
`listItems`, …) and Segment's e-commerce properties (`order_id`, `products`, `product_id`, …).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from tracking.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """A product and its quantity. `price` is the price of one piece, `discount` its reduction per
    piece. `categories` run from the widest to the narrowest."""

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


def read_sale(event: Event) -> Sale:
    """Return the sale of the event; its fields are empty if the event has none."""
    properties = event.properties
    body = next(
        (properties[n] for n in ("transaction", "cart") if isinstance(properties.get(n), dict)),
        properties,
    )
    read = (read_item(raw) for raw in raw_items(properties, body))
    items = tuple(item for item in read if item.id or item.sku or item.name)
    codes = body.get("vouchers") or body.get("voucher") or body.get("coupon")
    return Sale(
        order_id=text(body, "orderId", "order_id"),
        currency=read_currency(
            body.get("currency"),
            properties.get("currency"),
            *(item.currency for item in items),
            as_object(event.payload.get("website")).get("currency"),
        ),
        revenue=_revenue(body, items),
        total=number(body, "total"),
        tax=number(body, "tax"),
        shipping=number(body, "shippingCost", "shipping"),
        discount=number(body, "voucherDiscount", "discount"),
        coupon=",".join(map(str, codes)) if isinstance(codes, list) else plain(codes),
        affiliation=text(body, "affiliation"),
        payment=text(body, "paymentMethod", "payment_method") or text(properties, "payment_method"),
        items=items,
    )


def worth(sale: Sale) -> Number | None:
    """Return the amount paid; without it the value of the goods."""
    return sale.revenue if sale.total is None else sale.total


def read_item(raw: Mapping[str, Any]) -> LineItem:
    """Return the LineItem of an order line, a listed product or a bare product."""
    product = as_object(raw.get("product")) or raw
    usual = number(product, "unitPrice")
    price = number(product, "unitSalePrice", "price", "unitPrice")
    lowered = usual is not None and price is not None and usual > price
    return LineItem(
        id=text(product, "id", "product_id", "productId"),
        sku=text(product, "skuCode", "sku"),
        name=text(product, "name"),
        brand=text(product, "manufacturer", "brand"),
        variant=text(product, "variant", "color", "size"),
        coupon=text(product, "voucher", "coupon"),
        currency=read_currency(product.get("currency")),
        url=text(product, "url"),
        image=text(product, "imageUrl", "image_url", "thumbnailUrl"),
        categories=split_category(product.get("category")),
        price=price,
        discount=to_number(round(usual - price, 6)) if lowered else None,  # type: ignore[operator]
        quantity=number(raw, "quantity") or number(product, "quantity"),
        position=number(raw, "position", "index"),
    )


def _revenue(body: Mapping[str, Any], items: tuple[LineItem, ...]) -> Number | None:
    stated = number(body, "revenue", "subtotal", "value")
    if stated is not None:
        return stated
    prices = [item.price * (item.quantity or 1) for item in items if item.price is not None]
    return round(sum(prices), 6) if prices else number(body, "total")


def raw_items(
    properties: Mapping[str, Any], body: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    """Yield the items of the first place that has any: an order or a cart, a list, one product."""
    lines = body.get("lineItems") or body.get("items") or body.get("products")
    listed = properties.get("lineItems") or properties.get("listItems")
    listing = as_object(properties.get("listing")).get("items")
    shown = properties.get("listItem")
    single = properties if as_object(properties.get("product")) else None
    flat = properties if text(properties, "product_id", "sku") else None
    first: Any = lines or listed or listing or shown or single or flat or []
    for raw in first if isinstance(first, (list, tuple)) else [first]:
        if isinstance(raw, Mapping):
            yield raw
