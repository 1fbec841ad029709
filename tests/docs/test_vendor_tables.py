"""The page on what vendors receive names every event of the catalogue and every property of it."""

from __future__ import annotations

import pytest

from docs.generate import catalogue, vendor_tables
from docs.generate.vendor_tables import VENDORS, describe, make, rows, shown
from tracking.destinations.spec.event_names import CATALOGUE
from tracking.destinations.spec.origins import sender_values
from tracking.destinations.vendors.meta.events import EVENTS as META
from tracking.destinations.vendors.tiktok.events import EVENTS as TIKTOK

#: Names that vendors give to events of the catalogue; Google's are in small letters.
NAMES_OF_VENDORS = {
    "meta": set(META.values()),
    "tiktok": set(TIKTOK.values()),
    "posthog": {"$pageview", "$screen"},
}


@pytest.mark.parametrize("slug", VENDORS)
def test_every_event_and_property_is_in_a_vendors_table(slug: str) -> None:
    destination = make(slug)
    found = {row[0]: row for row in rows(destination)}
    assert list(found) == list(CATALOGUE)
    for event in catalogue.events():
        _, name, sent, left_out = found[event.name]
        if sent.startswith("Skipped: "):
            assert destination.skip(event) in sent
            continue
        assert name.strip("`") in {event.name, *NAMES_OF_VENDORS.get(slug, ())} or name.islower()
        for path, _ in sender_values(event):
            named = f"`{shown(path)}`" in sent + left_out
            assert named or "as they are" in sent, (event.name, path)
    text = describe(destination)
    for rule in destination.rules:
        assert str(rule.reason) in text
        assert rule.source in text


def test_the_table_has_the_fields_of_the_requests() -> None:
    google = {row[0]: row for row in rows(make("google-analytics"))}
    assert google["Completed Transaction"][1] == "`purchase`"
    assert "`transaction.orderId` → `transaction_id`" in google["Completed Transaction"][2]
    assert (
        "`transaction.lineItems[].product.id` → `items[].item_id`"
        in (google["Completed Transaction"][2])
    )
    meta = {row[0]: row for row in rows(make("meta"))}
    assert "`traits.email` → `user_data.em[]`" in meta["Registered"][2]
    mixpanel = {row[0]: row for row in rows(make("mixpanel"))}
    assert mixpanel["Completed Transaction"][2] == "all as they are"
    assert vendor_tables.write().startswith("# What vendors receive")
