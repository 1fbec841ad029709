"""What /track accepts is accepted by the routes of SDKs as another server forwards it."""

import json
from typing import Any

import pytest

from tests.support.hits import Send, basic, hit
from tests.support.integrations import add_webhook
from tests.support.posting import post
from tracking.destinations.vendors.segment.destination import Segment
from tracking.models import Hit, Token
from tracking.models.tokens.api_token import ApiToken


def sized(size: int) -> dict[str, Any]:
    """A hit of so many bytes of JSON, with ids and an address as long as they can be."""
    sent = hit(hitId="h" * 255, context={"ip": "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"})
    sent["event"]["user"] = {"userId": "u" * 255, "anonymousId": "a" * 255, "emailHash": "e" * 255}
    sent["event"]["pad"] = ""
    sent["event"]["pad"] = "x" * (size - len(json.dumps(sent)))
    return sent


@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch", "/v1/import"])
@pytest.mark.parametrize("size", [40_000, 65_536])
def test_the_largest_hit_may_be_forwarded(
    token: Token, secret: ApiToken, send: Send, size: int, path: str
) -> None:
    assert send(sized(size), user_agent="x" * 512).status_code == 204
    stored = Hit.objects.get()
    (event,) = Hit.objects.events([stored.pk], add_webhook(token)).values()
    forward = Segment({"receiver": "hitstream", "url": "http://hits.example", "write_key": "k"})
    body = forward.request([event]).body
    assert isinstance(body, bytes)
    if path == "/v1/track":
        body = json.dumps(json.loads(body)["batch"][0]).encode()
    Hit.objects.all().delete()
    answer = post(path, body.replace(b'"' + b"h" * 255, b'"other'), authorization=basic(secret))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert Hit.objects.get().payload["properties"] == {"pad": sized(size)["event"]["pad"]}
