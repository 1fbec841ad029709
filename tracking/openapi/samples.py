"""Sample bodies of senders, word for word; the tests send them."""

from __future__ import annotations

import base64
import json
from typing import Any

#: The sample of the public HTTP API's page.
HIT: dict[str, Any] = {
    "hitId": "4c59d330-35c7-11e9-8f27-8d1d7d4690e7",
    "sentAt": "2019-02-21T10:56:10.723Z",
    "event": {
        "category": "Auth",
        "name": "Registered",
        "label": "some label",
        "user": {
            "anonymousId": "80ddb140-35c6-11e9-bd56-eb1c05e6de18",
            "emailHash": "eff8c37862c7a2f0019448289bdd0869c30ae7f07060e4be9d",
            "userId": "u2783187492",
            "firstName": "John",
            "lastName": "Doe",
        },
        "nonInteraction": False,
    },
    "context": {"ip": "123.22.334.55"},
}
SMALLEST: dict[str, Any] = {"event": {"name": "Registered", "user": {"userId": "u1"}}}
SWITCHED: dict[str, Any] = {
    "hitId": "order-1",
    "event": {"name": "Ordered", "total": 19.9, "currency": "EUR", "user": {"userId": "u1"}},
    "integrations": {"All": False, "Webhook": True, "Google Analytics": {"clientId": "35.6"}},
}

#: What the vendor's JavaScript SDK sends; the project id is invented.
COLLECTED: dict[str, Any] = {
    "projectId": "0b4b1f0e-6f4c-4d0c-9f37-3b8c1d2e5a60",
    "hitId": "5f7c9a3e-2d41-4c8e-9b0a-7e1f6d5c4b3a",
    "sentAt": "2026-02-21T10:56:10.723Z",
    "type": "event",
    "version": 1,
    "anonymousId": "80ddb140-35c6-11e9-bd56-eb1c05e6de18",
    "event": {"name": "Viewed Product", "product": {"id": "p-17", "unitPrice": 49.9}},
    "website": {"currency": "EUR"},
}
SEVERAL: dict[str, Any] = {"hits": [HIT, SMALLEST]}
LINES = "".join(f"{json.dumps(hit)}\n" for hit in (HIT, SMALLEST))

WHO: dict[str, Any] = {
    "messageId": "ajs-next-1795403420442-7f1e1c0e-58f6-4a4e-9a55-4c5f0e2b7d11",
    "anonymousId": "80ddb140-35c6-11e9-bd56-eb1c05e6de18",
    "userId": "u2783187492",
    "timestamp": "2026-02-21T10:56:10.723Z",
    "context": {"ip": "203.0.113.7", "library": {"name": "analytics.js", "version": "2.1.0"}},
}
#: What Segment's SDKs send, by type.
EVENTS: dict[str, dict[str, Any]] = {
    "track": {**WHO, "event": "Order Completed", "properties": {"revenue": 19.9}},
    "identify": {**WHO, "traits": {"email": "john@example.com", "plan": "pro"}},
    "page": {**WHO, "name": "Pricing", "properties": {"url": "https://shop.example/pricing"}},
    "screen": {**WHO, "name": "Basket", "properties": {"items": 2}},
    "group": {**WHO, "groupId": "g-42", "traits": {"name": "Initech", "employees": 329}},
    "alias": {**WHO, "previousId": "80ddb140-35c6-11e9-bd56-eb1c05e6de18"},
}
EVENT_BATCH: dict[str, Any] = {
    "batch": [
        {"type": "identify", **EVENTS["identify"], "messageId": "m-1"},
        {"type": "track", **EVENTS["track"], "messageId": "m-2"},
    ],
    "sentAt": "2026-02-21T10:56:12.001Z",
}
PIXEL = base64.b64encode(json.dumps({"userId": "u1", "event": "Mail Opened"}).encode()).decode()
