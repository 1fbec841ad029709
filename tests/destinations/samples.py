"""The events that every destination's goldens are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tests.support.sample import SEED
from tracking.events import Event

SENT = datetime(2026, 11, 24, 10, 56, 10, 723_000, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 24, 10, 56, 11, 5, tzinfo=UTC)
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36"
USER = {
    "userId": "u1",
    "anonymousId": "a1",
    "email": " John.Doe@Example.com ",
    "phone": "+1 (650) 555-0100",
    "firstName": "John",
    "lastName": "Doe",
}


def line_item(id: str, name: str, price: float, quantity: int) -> dict[str, Any]:
    product = {
        "id": id,
        "skuCode": f"sku-{id}",
        "name": name,
        "currency": "USD",
        "unitPrice": price + 10,
        "unitSalePrice": price,
        "category": ["Home", "Footwear", name],
        "manufacturer": "Acme",
        "url": f"https://shop.example/{id}",
    }
    return {"product": product, "quantity": quantity, "subtotal": price * quantity}


TRANSACTION = {
    "hitId": "order-1",
    "sentAt": "2026-11-24T10:56:10.723Z",
    "event": {
        "category": "Ecommerce",
        "name": "Completed Transaction",
        "transaction": {
            "orderId": "order-1",
            "isFirst": True,
            "isReturning": False,
            "currency": "USD",
            "subtotal": 169.8,
            "tax": 10.2,
            "shippingCost": 5,
            "total": 185,
            "vouchers": ["AUTUMN"],
            "paymentMethod": "card",
            "lineItems": [
                line_item("p1", "Boots", 79.9, 2),
                line_item("p2", "Laces", 10, 1),
            ],
        },
        "user": USER,
    },
    "context": {
        "ip": "198.51.100.9",
        "userAgent": AGENT,
        "page": {"url": "https://shop.example/thanks", "path": "/thanks", "title": "Thanks"},
        "campaign": {"source": "google", "medium": "cpc", "name": "autumn", "gclid": "g-1"},
    },
    "integrations": {"Google Analytics": {"clientId": "123.456"}},
}
IDENTIFY = {
    "type": "identify",
    "messageId": "m-identify",
    "userId": "u1",
    "anonymousId": "a1",
    "timestamp": "2026-11-24T10:56:10.723Z",
    "traits": {
        "email": "john.doe@example.com",
        "firstName": "John",
        "lastName": "Doe",
        "plan": "pro",
        "createdAt": "2026-01-02T03:04:05Z",
    },
    "context": {"locale": "en-US", "library": {"name": "analytics.js", "version": "1.84.3"}},
}
PAGE = {
    "type": "page",
    "messageId": "m-page",
    "anonymousId": "a1",
    "userId": None,
    "name": "Boots",
    "timestamp": "2026-11-24T10:56:10.723Z",
    "properties": {
        "name": "Boots",
        "url": "https://shop.example/boots?utm_source=google",
        "path": "/boots",
        "search": "?utm_source=google",
        "title": "Boots - Shop",
        "referrer": "https://www.google.com/",
    },
    "context": {"page": {"path": "/boots", "url": "https://shop.example/boots"}, "locale": "en-US"},
}


def sample(number: int, payload: dict[str, Any], **fields: Any) -> Event:
    told: dict[str, Any] = {
        "id": UUID(int=0x01968A3C_5B1F_7C3E_8A55_000000000000 + number),
        "hit_id": payload.get("hitId") or payload.get("messageId"),
        "type": "track",
        "name": "",
        "user_id": "u1",
        "anonymous_id": "a1",
        "email_hash": "",
        "sent_at": SENT,
        "received_at": RECEIVED,
        "occurred_at": SENT,
        "clock": "sent",
        "ip": "203.0.113.7",
        "user_agent": AGENT,
        "payload": payload,
    }
    return Event(**{**told, **fields})


#: By the names of their goldens.
SAMPLES = {
    "seed": sample(
        1,
        SEED,
        name="Registered",
        user_id="u2783187492",
        anonymous_id="80ddb140-35c6-11e9-bd56-eb1c05e6de18",
        email_hash="eff8c37862c7a2f0019448289bdd0869c30ae7f07060e4be9d",
        sent_at=datetime(2019, 2, 21, 10, 56, 10, 723_000, tzinfo=UTC),
        occurred_at=datetime(2019, 2, 21, 10, 56, 10, 723_000, tzinfo=UTC),
    ),
    "transaction": sample(
        2,
        TRANSACTION,
        name="Completed Transaction",
        options={"clientId": "123.456"},
    ),
    "identify": sample(3, IDENTIFY, type="identify", clock="corrected"),
    "page": sample(4, PAGE, type="page", name="Boots", user_id="", clock="corrected"),
}
#: A sale, which every vendor has a use for.
SALE = SAMPLES["transaction"]


def sales(count: int) -> list[Event]:
    """So many that differ in their ids."""
    return [replace(SALE, id=UUID(int=SALE.id.int + n), hit_id=f"sale-{n}") for n in range(count)]
