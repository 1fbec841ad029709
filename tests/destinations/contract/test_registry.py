"""Destinations are found by slug and by name, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tracking.destinations.contract import registry
from tracking.destinations.contract.destination import Destination
from tracking.destinations.vendors.webhook.destination import Webhook
from tracking.exceptions import SetupError


class Other(Destination):
    slug = "other"
    label = "Other & Sons"
    aliases = ("Hook",)
    docs_url = "https://example.com/"


class Impostor(Destination):
    slug = "webhook"
    label = "Not the webhook"
    docs_url = "https://example.com/"


class Entry:
    name = "other"
    value = f"{__name__}:Other"

    def __init__(self, found: object) -> None:
        self.found = found

    def load(self) -> object:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    registry._load.cache_clear()
    yield
    registry._load.cache_clear()


def test_a_destination_is_found_by_its_slug() -> None:
    assert registry.get_destination("webhook") is Webhook
    assert Webhook in registry.all_destinations()
    assert ("webhook", "Webhook") in registry.choices()


def test_an_unknown_slug_is_an_error_of_the_setup() -> None:
    with pytest.raises(SetupError, match="'nobody'"):
        registry.get_destination("nobody")


@pytest.mark.parametrize("name", ["webhook", "Webhook", "WEBHOOKS"])
def test_a_name_is_a_slug_a_label_or_an_alias_in_any_case(name: str) -> None:
    assert registry.slugs_named(name) == {"webhook"}


def test_a_name_that_nobody_has_means_none() -> None:
    assert registry.slugs_named("Mixpanels") == frozenset()


def test_a_deployment_adds_its_own(settings: Any) -> None:
    settings.HITSTREAM = {"DESTINATIONS": (f"{__name__}.Other",)}
    assert registry.get_destination("other") is Other
    assert registry.slugs_named("other & sons") == {"other"}
    assert [label for _, label in registry.choices()] == sorted(
        (label for _, label in registry.choices()), key=str.casefold
    )


def test_two_destinations_with_one_slug_are_refused(settings: Any) -> None:
    settings.HITSTREAM = {"DESTINATIONS": [f"{__name__}.Impostor"]}
    with pytest.raises(ImproperlyConfigured, match="same slug"):
        registry.all_destinations()


def test_what_is_not_a_destination_is_refused(settings: Any) -> None:
    settings.HITSTREAM = {"DESTINATIONS": [f"{__name__}.Entry"]}
    with pytest.raises(ImproperlyConfigured, match="not a subclass"):
        registry.all_destinations()


def test_another_package_brings_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda *, group: [Entry(Other)])
    assert registry.get_destination("other") is Other


@pytest.mark.parametrize("found", [ImportError("gone"), Impostor, "nonsense"])
def test_a_broken_package_stops_nobody_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, found: object
) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda *, group: [Entry(found)])
    assert registry.get_destination("webhook") is Webhook
    assert "it cannot be loaded" in caplog.text
