"""A sale is read alike whichever payload shape it came in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.destinations.samples import SALE, line_item, sample
from tests.destinations.strict_hits import SEGMENT_PRODUCT, SEGMENT_PROPERTIES
from tracking.destinations.spec.browsing import (
    Campaign,
    read_campaigns,
    read_listing,
    read_search,
    read_step,
)
from tracking.destinations.spec.ecommerce import read_sale, worth
from tracking.destinations.spec.event_names import ALIASES, CATALOGUE, meaning, own_name
from tracking.events import Event


def public(**event: Any) -> Event:
    return sample(0, {"event": {"name": "X", **event}})


def segment(**properties: Any) -> Event:
    return sample(0, {"type": "track", "event": "X", "properties": properties})


def test_an_order_of_the_public_api() -> None:
    sale = read_sale(SALE)
    assert (sale.order_id, sale.currency, sale.coupon, sale.payment) == (
        *("order-1", "USD"),
        *("AUTUMN", "card"),
    )
    assert (sale.revenue, sale.total, sale.tax, sale.shipping) == (169.8, 185, 10.2, 5)
    assert worth(sale) == 185
    boots, laces = sale.items
    assert (boots.id, boots.sku, boots.name, boots.brand) == ("p1", "sku-p1", "Boots", "Acme")
    assert (boots.price, boots.discount, boots.quantity) == (79.9, 10, 2)
    assert boots.categories == ("Home", "Footwear", "Boots")
    assert laces.url == "https://shop.example/p2"


def test_an_order_of_segment() -> None:
    sale = read_sale(segment(**SEGMENT_PROPERTIES))
    assert (sale.order_id, sale.currency, sale.affiliation) == ("order-2", "EUR", "Web")
    assert (sale.revenue, sale.total, sale.tax, sale.shipping) == (159.8, 175.8, 6, 10)
    (item,) = sale.items
    assert (item.id, item.price, item.quantity, item.position) == ("p1", 79.9, 2, 3)
    assert (item.categories, item.variant, item.currency) == (("Home", "Footwear"), "black", "USD")


@pytest.mark.parametrize(
    "event",
    [
        public(product=line_item("p1", "Boots", 79.9, 1)["product"], quantity=2),
        public(listItem=line_item("p1", "Boots", 79.9, 2)),
        public(listItems=[line_item("p1", "Boots", 79.9, 2)]),
        public(cart={"currency": "USD", "lineItems": [line_item("p1", "Boots", 79.9, 2)]}),
        segment(**SEGMENT_PRODUCT),
        segment(products=[SEGMENT_PRODUCT], cart_id="c"),
    ],
)
def test_products_are_found_wherever_they_stand(event: Event) -> None:
    sale = read_sale(event)
    assert [(item.id, item.quantity) for item in sale.items] == [("p1", 2)]
    assert (sale.revenue, sale.currency) == (159.8, "USD")


def test_the_currency_of_the_site_is_the_last_resort() -> None:
    event = sample(
        0, {"event": {"name": "X", "cart": {"total": 3}}, "website": {"currency": "eur"}}
    )
    assert read_sale(event).currency == "EUR"
    assert read_sale(segment(currency="Euro", total=3)).currency == ""


@pytest.mark.parametrize(("told", "read"), [("usd", "USD"), ("XYZ", ""), ("Euro", ""), (5, "")])
def test_a_currency_is_one_of_iso_4217(told: Any, read: str) -> None:
    assert read_sale(segment(currency=told, total=3)).currency == read


def test_a_value_remembers_where_it_came_from() -> None:
    sale = read_sale(SALE)
    at = ("properties", "transaction")
    assert sale.origins["order_id"] == (*at, "orderId")
    assert sale.origins["revenue"] == (*at, "subtotal")
    boots = sale.items[0]
    assert boots.path == (*at, "lineItems", "0")
    assert boots.origins["price"] == (*at, "lineItems", "0", "product", "unitSalePrice")
    derived = read_sale(segment(products=[{"product_id": "1", "price": 2, "quantity": 3}]))
    assert (derived.revenue, "revenue" in derived.origins) == (6, False)


def test_numbers_that_are_none_are_missing() -> None:
    sale = read_sale(segment(order_id="o", total="NaN", tax=True, shipping="free", revenue=None))
    assert (sale.total, sale.tax, sale.shipping, sale.revenue) == (None, None, None, None)


@pytest.mark.parametrize("told", [None, "x", 3, [], [1, "x", None], {"lineItems": "x"}])
def test_nonsense_is_an_empty_sale(told: Any) -> None:
    for name in ("transaction", "cart", "product", "listItems", "products"):
        assert read_sale(public(**{name: told})).items == ()


def test_an_order_without_lines_has_its_amounts() -> None:
    sale = read_sale(public(transaction={"orderId": 7, "total": 10, "lineItems": []}))
    assert (sale.order_id, sale.total, sale.revenue, sale.items) == ("7", 10, 10, ())


def test_a_listing_a_search_and_a_step() -> None:
    listing = {"listId": "l1", "listName": "Boots", "category": "undefined", "query": "warm"}
    assert read_listing(public(listing=listing)).name == "Boots"
    assert read_listing(public(listing=listing)).category == ""
    assert read_listing(segment(list_id="l2", category="Home/Boots")).category == "Home/Boots"
    assert read_listing(public(listItems=[{"listId": "l3", "product": {}}])).id == "l3"
    assert read_search(public(listing=listing)) == read_search(segment(query=" warm ")) == "warm"
    assert read_step(public(step="2", option="post")).number == 2
    assert read_step(segment(step=3, shipping_method="post")).option == "post"


def test_campaigns_may_be_bare_ids() -> None:
    whole = Campaign(id="c1", name="Autumn", creative="red", position="top")
    told = {"id": "c1", "name": "Autumn", "design": "red", "position": "top"}
    assert read_campaigns(public(campaign=told)) == (whole,)
    assert read_campaigns(public(campaigns=[told, 2]))[1].id == "2"
    assert read_campaigns(
        segment(promotion_id="c1", name="Autumn", creative="red", position="top")
    ) == (whole,)


def test_names_mean_the_same_in_both_catalogues() -> None:
    assert meaning(sample(0, {}, name=" order completed ")) == "Completed Transaction"
    assert meaning(sample(0, {}, name="COMPLETED TRANSACTION")) == "Completed Transaction"
    assert meaning(sample(0, {}, type="page", name="Boots")) == "Viewed Page"
    assert meaning(sample(0, {}, name="Danced")) == "Danced"
    assert meaning(sample(0, {}, type="identify")) == ""
    assert own_name(sample(0, {}, name="Order Completed")) == "Order Completed"
    assert set(ALIASES.values()) <= set(CATALOGUE)
