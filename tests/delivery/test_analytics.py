"""From POST /track to a vendor's strict double, through the real queue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.destinations.judge import serve
from tests.destinations.samples import TRANSACTION
from tests.destinations.vendors.amplitude.strict import AmplitudeDouble
from tests.destinations.vendors.google_analytics.strict import GoogleAnalyticsDouble
from tests.support.hits import Send, hit
from tracking.delivery.engine import engine
from tracking.destinations.contract import registry
from tracking.destinations.contract.destination import Destination
from tracking.models import DeadLetter, Delivery, Integration, Token


def add(token: Token, slug: str, **config: Any) -> Integration:
    form = registry.get_destination(slug).Config(config)
    assert form.is_valid(), form.errors
    integration = Integration(token=token, name=slug, destination=slug)
    integration.configure(form)
    integration.save()
    return integration


def live(monkeypatch: pytest.MonkeyPatch, slug: str, url: str) -> type[Destination]:
    kind = registry.get_destination(slug)
    monkeypatch.setattr(kind, "hosts", dict.fromkeys(kind.hosts, url))
    return kind


def sale(number: int, **fields: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return hit(**{**TRANSACTION, "hitId": f"sale-{number}", "sentAt": now, **fields})


def states() -> list[str]:
    return sorted(Delivery.objects.values_list("state", flat=True))


def test_an_order_arrives_under_the_client_that_the_hit_names(
    send: Send, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = []

    class Listening(GoogleAnalyticsDouble):
        def answer(self, ask: Any) -> tuple[int, Any]:
            clients.append(ask.json["client_id"])
            return super().answer(ask)

    double = Listening()
    with serve(double) as vendor:
        live(monkeypatch, "google-analytics", vendor.url)
        add(token, "google-analytics", measurement_id="G-ABC123", api_secret="s")
        for number, client in enumerate(["123.456", "123.456", "7.8"]):
            options = {"Google Analytics": {"clientId": client}}
            assert send(sale(number, integrations=options)).status_code == 204
        old = "2019-02-21T10:56:10.723Z"
        assert send(hit(hitId="old", sentAt=old)).status_code == 204
        engine.run()
    assert double.problems == []
    assert [event["name"] for event in double.events] == ["purchase"] * 3
    assert sorted(clients) == ["123.456", "7.8"]
    assert states() == ["delivered", "delivered", "delivered", "skipped"]


def test_an_event_that_amplitude_refuses_is_a_dead_letter_and_the_rest_is_delivered(
    send: Send, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    double = AmplitudeDouble("amplitude-key", silenced={"loud"})
    user = {"userId": "u1", "anonymousId": "loud"}
    with serve(double) as vendor:
        live(monkeypatch, "amplitude", vendor.url)
        add(token, "amplitude", api_key="amplitude-key")
        assert send(sale(1)).status_code == 204
        assert send(hit(hitId="h", event={"name": "Danced", "user": user})).status_code == 204
        engine.run()
    assert len(double.events) == 1
    assert states() == ["dead", "delivered"]
    assert "silenced" in DeadLetter.objects.get().message
