"""What an integration's mapping does to a line of deliveries."""

from __future__ import annotations

import pytest

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.vendor import Vendor
from tracking.delivery.engine import engine
from tracking.models import Attempt, Integration, QueuedDelivery, Token


def test_a_mapping_that_is_slow_is_not_tried_over_and_over(
    send: Send, token: Token, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = add_webhook(token, vendor.url)
    Integration.objects.filter(pk=integration.pk).update(mapping={"drop": ["ip"]})
    assert send(hit(hitId="h1")).status_code == 204
    monkeypatch.setattr("tracking.destinations.mapping.event_mapping.TIME_LIMIT", -1.0)
    engine.run()
    assert Attempt.objects.count() == 1
    assert QueuedDelivery.objects.get().attempts == 1
    assert vendor.received == []
