"""PostHog's special events, groups, and hosts."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.destinations.samples import IDENTIFY, SALE, SAMPLES, sample
from tests.support.vendor import Vendor, reply
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.transport.http import Client
from tracking.destinations.vendors.posthog.destination import NAMED, NO_OBJECT, PostHog
from tracking.events import Event
from tracking.exceptions import RetryableError

CONFIG = {"api_key": "phc_key", "region": "us", "group_type": "company"}
POSTHOG = PostHog(CONFIG)


def told(event: Event) -> Any:
    assert POSTHOG.skip(event) == ""
    body = json.loads(POSTHOG.request([event]).body)
    assert body["api_key"] == "phc_key"
    return body["batch"][0]


def test_pages_and_screens_go_under_posthogs_names() -> None:
    assert told(SAMPLES["page"])["event"] == "$pageview"
    screen = told(sample(0, {"type": "screen"}, type="screen", name="Cart"))
    assert (screen["event"], screen["properties"]["$screen_name"]) == ("$screen", "Cart")
    assert told(sample(0, {}, name="Order Completed"))["event"] == "Order Completed"


def test_identify_sets_the_traits_and_joins_the_browser() -> None:
    event = told(SAMPLES["identify"])
    assert (event["event"], event["distinct_id"]) == ("$identify", "u1")
    assert event["properties"]["$set"] == IDENTIFY["traits"]
    assert event["properties"]["$anon_distinct_id"] == "a1"


def test_the_senders_own_set_is_merged_with_the_traits() -> None:
    own = {"$set": {"plan": "pro", "name": "Own"}, "$groups": {"company": "own", "team": "t"}}
    traits = {"name": "Jo", "age": 3}
    payload = {"event": "X", "properties": own, "traits": traits, "context": {"groupId": "g"}}
    properties = told(sample(0, payload, name="X"))["properties"]
    assert properties["$set"] == {"plan": "pro", "name": "Own", "age": 3}
    assert properties["$groups"] == {"company": "own", "team": "t"}
    odd = sample(0, {"event": "X", "properties": {"$set": "x"}, "traits": traits}, name="X")
    assert told(odd)["properties"]["$set"] == traits
    assert POSTHOG.left_out(odd) == {("properties", "$set"): NO_OBJECT}


def test_an_alias_merges_the_previous_id_into_the_users() -> None:
    event = told(sample(0, {"type": "alias", "previousId": "a1"}, type="alias"))
    assert (event["event"], event["distinct_id"]) == ("$create_alias", "a1")
    assert event["properties"]["alias"] == "u1"
    own = {"type": "alias", "previousId": "a1", "properties": {"alias": "other", "x": 1}}
    odd = sample(0, own, type="alias")
    assert told(odd)["properties"]["alias"] == "u1"
    assert told(odd)["properties"]["x"] == 1
    assert POSTHOG.left_out(odd) == {("properties", "alias"): NAMED}


def test_a_group_has_its_traits_and_its_events_name_it() -> None:
    group = {"type": "group", "groupId": "g1", "traits": {"name": "Acme"}}
    properties = told(sample(0, group, type="group"))["properties"]
    assert (properties["$group_type"], properties["$group_key"]) == ("company", "g1")
    assert properties["$group_set"] == {"name": "Acme"}
    track = sample(0, {"event": "X", "context": {"groupId": "g1"}}, name="X")
    assert told(track)["properties"]["$groups"] == {"company": "g1"}


def test_what_posthog_would_drop_in_silence_is_skipped_with_a_reason() -> None:
    assert "anonymous id" in POSTHOG.skip(sample(0, {}, name="X", user_id="", anonymous_id=""))
    assert "name" in POSTHOG.skip(sample(0, {}))
    assert "group" in POSTHOG.skip(sample(0, {}, type="group"))
    assert "previous" in POSTHOG.skip(sample(0, {}, type="alias"))


def test_our_own_address_is_never_looked_up() -> None:
    assert told(SALE)["properties"]["$ip"] == "198.51.100.9"
    assert told(sample(0, {}, name="X", ip=None))["properties"]["$geoip_disable"] is True


def test_a_quota_that_is_used_up_is_no_delivery(vendor: Vendor) -> None:
    vendor.answer = reply(200, b'{"status":1,"quota_limited":["events"]}')

    async def run() -> None:
        async with Client() as client:
            await PostHog({**CONFIG, "url": vendor.url}).deliver([SALE], client)

    with pytest.raises(RetryableError, match="quota"):
        asyncio.run(run())


def test_a_host_of_ones_own_is_called_instead() -> None:
    own = PostHog({**CONFIG, "url": "https://posthog.example.com/"})
    assert own.request([SALE]).url == "https://posthog.example.com/batch/"
    assert POSTHOG.request([SALE]).url == "https://us.i.posthog.com/batch/"


def test_a_trial_asks_for_flags(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PostHog, "hosts", {"us": vendor.url})
    assert check_connection(POSTHOG).works
    assert vendor.received[0].line.startswith("POST /hook/flags/?v=2 ")
