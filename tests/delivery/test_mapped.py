"""What an integration's mapping does to its own deliveries, and to those of the others."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.vendor import Vendor, open_vendor, reply
from tracking.delivery.breaker import hold_back
from tracking.delivery.engine import engine
from tracking.exceptions import SetupError
from tracking.models import Attempt, DeadLetter, Integration, QueuedDelivery, Token

LIST = [number * 7919 % 90 + 10 for number in range(8_000)]
#: A few milliseconds a line: together a large part of the limit of one hit.
SLOW_LINES = [["properties.a", "sort(properties.list)[0]"]] * 50
#: Far beyond the limit.
HOPELESS = [["properties.a", "sort(properties.list) | sort(@) | length(@)"]] * 1000
USER = {"name": "Sale", "user": {"userId": "u1"}}


def mapped(token: Token, vendor: Vendor, name: str, **mapping: Any) -> Integration:
    """A webhook whose mapping is stored as it is, whatever the form would say of it."""
    integration = add_webhook(token, vendor.url, name=name)
    Integration.objects.filter(pk=integration.pk).update(mapping=mapping)
    integration.refresh_from_db()
    return integration


def sale(hit_id: str, **event: Any) -> dict[str, Any]:
    return hit(hitId=hit_id, event={**USER, "list": LIST, **event})


def test_a_mapping_that_takes_too_long_pauses_its_integration_and_no_other(
    send: Send, token: Token, vendor: Vendor
) -> None:
    slow = mapped(token, vendor, "Slow", set=HOPELESS)
    mapped(token, vendor, "Quick", condition="name == 'Sale'", set=[["properties.b", "`1`"]])
    for number in range(3):
        assert send(sale(f"h{number}")).status_code == 204
    engine.run()
    slow.refresh_from_db()
    assert slow.paused_cause == "setup"
    assert "sort(properties.list) | sort(@) | length(@)" in slow.paused_reason
    assert "takes more than 0.25 s" in slow.paused_reason
    assert len(vendor.received) == 3
    assert {each.integration for each in QueuedDelivery.objects.all()} == {slow}
    assert [each.attempts for each in QueuedDelivery.objects.all()] == [0, 0, 0]
    assert not Attempt.objects.filter(integration=slow).exists()
    slow.mapping = {"set": [["properties.b", "`2`"]]}
    slow.save()
    engine.run()
    assert len(vendor.received) == 6


def test_a_mapping_that_was_mended_meanwhile_is_not_paused_for_the_old_one(
    token: Token, vendor: Vendor
) -> None:
    integration = mapped(token, vendor, "Slow", set=HOPELESS)
    old = Integration.objects.get()
    integration.mapping = {}
    integration.save()
    hold_back(old, SetupError("The expression takes too long."))
    integration.refresh_from_db()
    assert integration.paused_at is None


def test_one_hit_that_an_expression_cannot_take_is_a_dead_letter(
    send: Send, token: Token, vendor: Vendor
) -> None:
    mapped(token, vendor, "Sums", set=[["properties.sum", "sum(properties.prices)"]])
    send(hit(hitId="h1", event={**USER, "prices": [1, 2]}))
    send(hit(hitId="h2", event={**USER, "prices": "none"}))
    engine.run()
    assert [each.json["data"]["payload"]["event"]["sum"] for each in vendor.received] == [3]
    assert "sum()" in DeadLetter.objects.get().message


def test_a_slow_mapping_delays_only_its_own_deliveries(send: Send, token: Token) -> None:
    with open_vendor(reply()) as slow_vendor, open_vendor(reply()) as quick_vendor:
        mapped(token, slow_vendor, "Slow", set=SLOW_LINES)
        mapped(token, quick_vendor, "Quick", condition="name == 'Sale'")
        for number in range(30):
            send(sale(f"h{number}"))
        worker = threading.Thread(target=engine.run)
        worker.start()
        deadline = time.monotonic() + 30
        while len(quick_vendor.received) < 30 and time.monotonic() < deadline:
            time.sleep(0.01)
        sent_meanwhile = len(slow_vendor.received)
        worker.join()
        assert len(quick_vendor.received) == len(slow_vendor.received) == 30
        assert sent_meanwhile < 25
