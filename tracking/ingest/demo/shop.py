"""The hits of an invented shop: visits of a few hundred people, each hit as its sender would write
it.

The same seed gives the same people, products and visits; only the days move with the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from random import Random
from typing import Any
from uuid import UUID

DAYS = 30
VISITS_PER_DAY = 95
PEOPLE = 620
SHOP = "https://shop.example"
CURRENCY = "EUR"

#: The share of visits by hour of UTC and by day of the week, Monday first.
HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 11, 12, 11, 10, 10, 11, 12, 14, 16, 17, 14, 9, 4)
WEEK = (1.0, 0.95, 0.95, 1.0, 1.1, 1.3, 1.25)

#: id, name, category, price.
PRODUCTS = (
    ("p1", "Pour-over kettle", "Coffee", 59.0),
    ("p2", "Hand grinder", "Coffee", 89.0),
    ("p3", "House blend 1 kg", "Coffee", 24.5),
    ("p4", "Paper filters", "Coffee", 6.9),
    ("p5", "Green tea 200 g", "Tea", 14.0),
    ("p6", "Cast iron teapot", "Tea", 72.0),
    ("p7", "Tea sampler", "Tea", 19.9),
    ("p8", "Stoneware mug", "Tableware", 16.0),
    ("p9", "Espresso cups", "Tableware", 28.0),
    ("p10", "Oak tray", "Tableware", 34.0),
    ("p11", "Gift card", "Gifts", 50.0),
    ("p12", "Breakfast box", "Gifts", 45.0),
)
SEARCHES = ("kettle", "green tea", "gift", "grinder", "mug", "decaf", "filters")

#: Weight, campaign and referrer of the ways into the shop.
Source = tuple[int, dict[str, str], str]
SOURCES: tuple[Source, ...] = (
    (34, {}, ""),
    (22, {}, "https://www.google.com/"),
    (6, {}, "https://duckduckgo.com/"),
    (9, {"source": "newsletter", "medium": "email", "name": "weekly"}, ""),
    (5, {"source": "newsletter", "medium": "email", "name": "welcome"}, ""),
    (10, {"source": "google", "medium": "cpc", "name": "brand"}, "https://www.google.com/"),
    (6, {"source": "google", "medium": "cpc", "name": "gifts"}, "https://www.google.com/"),
    (5, {"source": "instagram", "medium": "social", "name": "spring"}, "https://l.instagram.com/"),
    (3, {}, "https://coffee-blog.example/best-grinders"),
)
#: Weight, user agent and screen of the browsers.
Browser = tuple[int, str, tuple[int, int]]
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0"
BROWSERS: tuple[Browser, ...] = (
    (34, f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36", (1920, 1080)),
    (
        26,
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) {SAFARI} Mobile Safari/604.1",
        (390, 844),
    ),
    (18, f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36", (412, 915)),
    (10, f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {SAFARI} Safari/605.1.15", (1512, 982)),
    (7, "Mozilla/5.0 (X11; Linux x86_64; rv:138.0) Gecko/20100101 Firefox/138.0", (1920, 1200)),
    (
        5,
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/136.0.0.0",
        (2560, 1440),
    ),
)
PLANS = ("guest", "member", "member", "club")


@dataclass(slots=True)
class Shopper:
    number: int
    anonymous_id: str
    agent: str
    screen: tuple[int, int]
    #: Empty until the person signs up.
    user_id: str = ""
    orders: int = 0

    @property
    def email(self) -> str:
        return f"customer{self.number}@shop.example"


class ShopVisit:
    """The hits of one visit, written while it goes on."""

    def __init__(self, random: Random, person: Shopper, start: datetime) -> None:
        self._random, self._person, self._time = random, person, start
        _, self._campaign, self._referrer = pick(random, SOURCES)
        self._referrer_is_sent = False
        self.hits: list[dict[str, Any]] = []

    def go(self) -> list[dict[str, Any]]:
        """Return the hits, in their order."""
        self._page("/", "Home")
        if self._person.user_id and self._happens(0.4):
            self._add("Logged In", category="Auth")
        if self._happens(0.18):
            query = self._random.choice(SEARCHES)
            self._page("/search", "Search")
            self._add("Searched Products", query=query, resultCount=self._random.randint(0, 9))
        seen = [self._look_at_product() for _ in range(self._random.choice((0, 1, 1, 2, 2, 3, 4)))]
        if seen and self._happens(0.3):
            self._shop(seen)
        elif self._happens(0.08):
            self._page("/about", "About us")
        if self._happens(0.03):
            self._add("Subscribed", category="Subscription", campaign={"name": "weekly"})
        return self.hits

    def _happens(self, share: float) -> bool:
        return self._random.random() < share

    def _look_at_product(self) -> dict[str, Any]:
        product = product_of(self._random.choices(PRODUCTS, range(len(PRODUCTS), 0, -1))[0])
        category = product["category"][0]
        if self._happens(0.5):
            self._page(f"/{category.lower()}", category)
            self._add("Viewed Product Listing", category="Ecommerce", listing={"listId": category})
        self._page(f"/products/{product['id']}", product["name"])
        self._add("Viewed Product Detail", category="Ecommerce", product=product)
        return product

    def _shop(self, seen: list[dict[str, Any]]) -> None:
        chosen = self._random.sample(seen, self._random.randint(1, min(2, len(seen))))
        lines: list[dict[str, Any]] = [
            {"product": each, "quantity": self._random.choice((1, 1, 1, 2, 3))} for each in chosen
        ]
        for line in lines:
            self._add("Added Product", category="Ecommerce", **line)
        if len(lines) > 1 and self._happens(0.15):
            self._add("Removed Product", category="Ecommerce", **lines.pop())
        self._page("/cart", "Cart")
        self._add("Viewed Cart", category="Ecommerce", cart=cart_of(lines))
        if self._happens(0.5):
            self._check_out(lines)

    def _check_out(self, lines: list[dict[str, Any]]) -> None:
        self._page("/checkout", "Checkout")
        self._add("Started Order", category="Ecommerce", cart=cart_of(lines))
        if not self._person.user_id and self._happens(0.7):
            self._sign_up()
        self._add("Completed Checkout Step", category="Ecommerce", step=1, option="standard")
        if self._happens(0.75):
            self._order(lines)

    def _sign_up(self) -> None:
        self._person.user_id = f"u{1000 + self._person.number}"
        self._add("Registered", category="Auth", user={"email": self._person.email})
        traits = {"email": self._person.email, "plan": self._random.choice(PLANS)}
        self._identify(traits)

    def _order(self, lines: list[dict[str, Any]]) -> None:
        self._person.orders += 1
        cart = cart_of(lines)
        shipping = 0.0 if cart["total"] >= 50 else 4.9
        transaction = {
            **cart,
            "orderId": f"o{self._person.number}-{self._person.orders}",
            "total": round(cart["total"] + shipping, 2),
            "shippingCost": shipping,
            "paymentMethod": self._random.choice(("card", "card", "paypal", "invoice")),
            "isFirst": self._person.orders == 1,
            "isReturning": self._person.orders > 1,
        }
        self._page("/thanks", "Thank you")
        self._add("Completed Transaction", category="Ecommerce", transaction=transaction)
        if self._happens(0.03):
            refund = {"orderId": transaction["orderId"], "lineItems": lines}
            self._add("Refunded Transaction", category="Ecommerce", transaction=refund)

    def _page(self, path: str, title: str) -> None:
        self._path, self._title = path, title
        self._add("Viewed Page", page={"path": path, "title": title, "url": f"{SHOP}{path}"})

    def _add(self, name: str, *, user: dict[str, Any] | None = None, **event: Any) -> None:
        ids = {"anonymousId": self._person.anonymous_id}
        if self._person.user_id:
            ids["userId"] = self._person.user_id
        self._send({"event": {"name": name, **event, "user": {**ids, **(user or {})}}}, "sentAt")

    def _identify(self, traits: dict[str, Any]) -> None:
        ids = {"anonymousId": self._person.anonymous_id, "userId": self._person.user_id}
        self._send({"type": "identify", **ids, "traits": traits}, "timestamp")

    def _send(self, hit: dict[str, Any], time: str) -> None:
        self._time += timedelta(seconds=self._random.uniform(2, 70))
        width, height = self._person.screen
        page = {"path": self._path, "title": self._title, "url": f"{SHOP}{self._path}"}
        if self._referrer and not self._referrer_is_sent:
            self._referrer_is_sent, page["referrer"] = True, self._referrer
        hit["context"] = {
            "page": page,
            "userAgent": self._person.agent,
            "screenWidth": width,
            "screenHeight": height,
            **({"campaign": self._campaign} if self._campaign else {}),
        }
        hit[time] = self._time.astimezone(UTC).isoformat(timespec="milliseconds")
        self.hits.append(hit)


def product_of(row: tuple[str, str, str, float]) -> dict[str, Any]:
    number, name, category, price = row
    return {
        "id": number,
        "skuCode": f"sku-{number}",
        "name": name,
        "category": [category],
        "currency": CURRENCY,
        "unitPrice": price,
        "unitSalePrice": price,
        "url": f"{SHOP}/products/{number}",
    }


def cart_of(lines: list[dict[str, Any]]) -> dict[str, Any]:
    total = round(sum(line["product"]["unitSalePrice"] * line["quantity"] for line in lines), 2)
    return {"currency": CURRENCY, "subtotal": total, "total": total, "lineItems": lines}


def pick(random: Random, weighted: tuple[Any, ...]) -> Any:
    """Return one of these tuples, by the weight that each begins with."""
    return random.choices(weighted, [each[0] for each in weighted])[0]


def people(random: Random) -> list[Shopper]:
    made = []
    for number in range(1, PEOPLE + 1):
        _, agent, screen = pick(random, BROWSERS)
        anonymous_id = str(UUID(int=random.getrandbits(128), version=4))
        person = Shopper(number, anonymous_id, agent, screen)
        # Some are customers from before the first day.
        if random.random() < 0.25:
            person.user_id = f"u{1000 + number}"
        made.append(person)
    return made


def shop_hits(until: datetime, *, days: int = DAYS, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Yield the hits of these days up to `until`, visit by visit. A visit that would go on after
    it is left out."""
    random = Random(seed)  # noqa: S311 (sample data)
    visitors = people(random)
    # Few come often, and many once.
    weights = [1 / (1 + number % 40) for number in range(len(visitors))]
    for start in sorted(chain.from_iterable(starts(random, until, days))):
        (person,) = random.choices(visitors, weights)
        hits = ShopVisit(random, person, start).go()
        if max(hit.get("sentAt") or hit["timestamp"] for hit in hits) <= until.isoformat():
            yield from hits


def starts(random: Random, until: datetime, days: int) -> Iterator[list[datetime]]:
    """Yield the beginnings of the visits of each day."""
    first = until - timedelta(days=days)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(days + 1):
        day = midnight + timedelta(days=number)
        growth = 0.85 + 0.3 * number / days
        count = round(VISITS_PER_DAY * WEEK[day.weekday()] * growth * random.uniform(0.9, 1.1))
        hours = random.choices(range(24), HOURS, k=count)
        found = [day + timedelta(hours=hour, seconds=random.uniform(0, 3600)) for hour in hours]
        yield [each for each in found if first <= each <= until]
