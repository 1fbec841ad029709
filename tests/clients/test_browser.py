"""The SDKs for browsers, as published, and none at all: on another site's page, in Chromium."""

import pytest

from tests.clients.conftest import Visit
from tests.clients.sdk import asked
from tests.support.comparison import await_events, check
from tests.support.hits import hit
from tests.support.tap import Tap
from tracking.models import Hit, Token
from tracking.models.tokens.api_token import ApiToken


@pytest.mark.parametrize("name", ["analytics-next.html", "rudder.html", "jitsu.html"])
def test_all_calls_are_stored_as_they_were_meant(
    name: str, visit: Visit, tap: Tap, token: Token
) -> None:
    visit(name, tap, str(token.project_id)).evaluate("void send()")
    await_events(tap, len(asked(name)))
    check(tap, token, asked(name))


def test_analytics_next_may_send_batches(visit: Visit, tap: Tap, token: Token) -> None:
    name = "analytics-next.html"
    strategy = {"strategy": "batching", "config": {"size": 3, "timeout": 300}}
    settings = {"Segment.io": {"deliveryStrategy": strategy}}
    visit(name, tap, str(token.project_id), integrations=settings).evaluate("void send()")
    await_events(tap, len(asked(name)))
    check(tap, token, asked(name))
    assert {post.path for post in tap.posts(200)} == {"/v1/b"}


def test_rudderstack_may_send_beacons(visit: Visit, tap: Tap, token: Token) -> None:
    name = "rudder.html"
    queue = {"flushQueueInterval": 300}
    page = visit(name, tap, str(token.project_id), useBeacon=True, beaconQueueOptions=queue)
    page.evaluate("void send()")
    await_events(tap, len(asked(name)))
    check(tap, token, asked(name))
    path = f"/beacon/v1/batch?writeKey={token.project_id}"
    assert {post.path for post in tap.posts(200)} == {path}


def test_a_page_without_an_sdk_posts_to_track(
    visit: Visit, tap: Tap, token: Token, secret: ApiToken
) -> None:
    page = visit("fetch.html", tap, secret)
    assert page.evaluate("send", hit(hitId="h-1")) == 204
    seen = [(each.method, each.path, each.status) for each in tap.exchanges]
    assert seen == [("OPTIONS", "/track", 204), ("POST", "/track", 204)]
    assert Hit.objects.get(token=token).payload == hit(hitId="h-1")
