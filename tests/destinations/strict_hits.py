"""Events to send to the doubles: one of every name of the catalogue in both payload shapes, and
whatever hypothesis makes up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from tests.destinations.judge import words
from tests.destinations.samples import (
    RECEIVED,
    SALE,
    SAMPLES,
    SENT,
    TRANSACTION,
    line_item,
    sales,
    sample,
)
from tracking.destinations.spec.event_names import ALIASES, CATALOGUE
from tracking.events import Event

LINE: dict[str, Any] = line_item("p1", "Boots", 79.9, 2)
SEGMENT_PRODUCT: dict[str, Any] = {
    "product_id": "p1",
    "sku": "sku-p1",
    "name": "Boots",
    "brand": "Acme",
    "category": "Home > Footwear",
    "variant": "black",
    "price": "79.90",
    "quantity": 2,
    "position": 3,
    "currency": "usd",
}
EVENT: dict[str, Any] = {**SALE.properties}
#: Everything that any event of the catalogue may hold, in the public HTTP API's words.
CATALOGUE_PROPERTIES: dict[str, Any] = {
    "transaction": EVENT["transaction"],
    "product": LINE["product"],
    "quantity": 2,
    "cart": {"currency": "USD", "subtotal": 159.8, "total": 165, "lineItems": [LINE]},
    "listing": {"listId": "l1", "listName": "Boots", "query": "boots", "items": [LINE["product"]]},
    "listItems": [{"product": LINE["product"], "listId": "l1", "position": 1}],
    "campaigns": [{"id": "c1", "name": "Autumn", "design": "red", "position": "top"}],
    "step": 2,
    "option": "card",
    "customDimensions": [{"name": "colour", "value": "red"}],
    "customMetrics": [{"name": "weight", "value": 3}],
}
NEEDED: dict[str, tuple[str, ...]] = {
    "Transaction": ("transaction",),
    "Order": ("cart",),
    "Cart": ("cart",),
    "Payment": ("cart",),
    "Listing": ("listing",),
    "Searched": ("listing",),
    "Campaign": ("campaigns",),
    "Checkout": ("step", "option"),
    "Viewed Product": ("listItems",),
    "Clicked Product": ("listItems",),
    "Product": ("product", "quantity"),
}
SEGMENT_PROPERTIES: dict[str, Any] = {
    "order_id": "order-2",
    "currency": "EUR",
    "revenue": 159.8,
    "total": "175.80",
    "tax": 6,
    "shipping": 10,
    "coupon": "AUTUMN",
    "affiliation": "Web",
    "products": [SEGMENT_PRODUCT],
    "query": "boots",
    "list_id": "l1",
    "category": "Boots",
    "step": 2,
    "promotion_id": "c1",
    "creative": "red",
    "name": "Autumn",
    "payment_method": "card",
}


def in_catalogue_words(name: str) -> dict[str, Any]:
    needed = next((found for word, found in NEEDED.items() if word in name), ())
    if name == "Viewed Product Detail":
        needed = ("product",)
    every = (*needed, "customDimensions", "customMetrics")
    told: dict[str, Any] = {word: CATALOGUE_PROPERTIES[word] for word in every}
    context = TRANSACTION["context"]
    return {"event": {"name": name, "user": {"email": "a@b.example"}, **told}, "context": context}


def more_sales(count: int) -> list[Event]:
    """Sales whose ids are those of no sample."""
    return [replace(event, id=UUID(int=event.id.int + 20_000)) for event in sales(count)]


def catalogue_events() -> list[Event]:
    """Every name, as either kind of sender sends it."""
    payloads = [(name, in_catalogue_words(name)) for name in CATALOGUE]
    for name in ALIASES:
        told = {"event": name, "properties": SEGMENT_PROPERTIES, "context": TRANSACTION["context"]}
        payloads.append((name, {"type": "track", **told}))
    return [
        replace(sample(0, payload, name=name), id=UUID(int=SAMPLES["page"].id.int + 10_000 + place))
        for place, (name, payload) in enumerate(payloads)
    ]


texts = st.text(max_size=130)
numbers = st.one_of(st.integers(), st.floats(), st.sampled_from(["79.90", "1e3", "", "x", "nan"]))
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
WORDS = words(
    "id product_id sku skuCode name price unitPrice unitSalePrice quantity position currency "
    "category manufacturer brand coupon"
)
products = st.dictionaries(st.sampled_from(sorted(WORDS)), scalars | st.just("USD"), max_size=8)
lines = st.lists(products | st.fixed_dictionaries({"product": products}) | scalars, max_size=4)
bodies = st.dictionaries(
    st.sampled_from(
        sorted(words("orderId order_id currency total revenue tax voucher lineItems products"))
    ),
    scalars | lines | st.just("order-1") | st.just("EUR"),
    max_size=7,
)
names = st.sampled_from([*CATALOGUE, *ALIASES, "error", "Error", "ga_x", "[Amplitude] Revenue", ""])
keys = st.sampled_from(
    sorted(
        words(
            "transaction cart product listing listItems campaigns campaign products order_id query "
            "step nonInteraction session_id value customDimensions sessionId engagement_time_msec"
        )
    )
)
properties = st.dictionaries(keys | texts, values | bodies | lines, max_size=30)
contexts = st.dictionaries(
    st.sampled_from(
        sorted(words("ip userAgent page campaign locale os browser device app traits"))
    ),
    values | st.dictionaries(st.sampled_from(["url", "title", "referrer", "name"]), scalars),
    max_size=6,
)
ids = st.sampled_from(["", "u1", "a1", "null", "0", "u" * 300, "123.456"]) | texts


options = st.sampled_from(["clientId", "sessionId", "eventId"])


#: Seconds before the hit was sent; Google takes 72 hours.
ages = st.integers(-200_000, 10) | st.sampled_from([-260_000, -(10**9)])


@st.composite
def hits(draw: st.DrawFn) -> Event:
    name, told, context = draw(names | texts), draw(properties), draw(contexts)
    user = draw(st.dictionaries(st.sampled_from(["email", "phone", "firstName", "x"]), values))
    kind = draw(st.sampled_from(["track", "track", "track", "page", "identify", "group"]))
    segment = {"event": name, "properties": told, "traits": user}
    public = {"event": {**told, "name": name, "user": user}}
    shape: dict[str, Any] = draw(st.sampled_from([segment, public]))
    return replace(
        sample(0, {**shape, "context": context}),
        id=draw(st.uuids(version=4)),
        type=kind,
        name=name,
        user_id=draw(ids),
        anonymous_id=draw(ids),
        ip=draw(st.sampled_from([None, "203.0.113.7", "2001:db8::1"])),
        user_agent=draw(texts),
        occurred_at=SENT + timedelta(seconds=draw(ages)),
        received_at=RECEIVED,
        options=draw(
            st.dictionaries(st.sampled_from(["clientId", "sessionId", "eventId"]), scalars)
        ),
    )
