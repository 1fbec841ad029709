"""The doubles refuse what the vendors' pages refuse, and the second opinion finds what is there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.destinations.arrival import Haystack
from tests.destinations.contract.test_generated import NOW, make
from tests.destinations.judge import Ask
from tests.destinations.samples import SALE
from tests.destinations.vendors.klaviyo.strict import KlaviyoDouble
from tests.destinations.vendors.meta.strict import MetaDouble
from tests.destinations.vendors.posthog.strict import PostHogDouble
from tests.destinations.vendors.segment.strict import SegmentDouble
from tests.destinations.vendors.tiktok.strict import TikTokDouble

MAKERS: dict[str, Callable[[], Any]] = {
    "klaviyo": lambda: KlaviyoDouble(NOW),
    "meta": lambda: MetaDouble(NOW),
    "posthog": lambda: PostHogDouble(NOW),
    "segment": lambda: SegmentDouble(NOW),
    "tiktok": lambda: TikTokDouble(NOW),
}
DATA = ("data", 0)
PROFILE = ("data", "attributes", "profile", "data", "attributes")


def problems(slug: str, path: tuple[Any, ...] = (), value: Any = None) -> list[str]:
    """What the double says of a sale in which one value is another."""
    request = make(slug).request([SALE])
    body = json.loads(request.body)
    at = body
    for part in path[:-1]:
        at = at[part]
    if path:
        at[path[-1]] = value
    url, _, query = request.url.partition("?")
    headers = {name.lower(): each for name, each in request.headers.items()}
    named = dict(each.partition("=")[::2] for each in query.split("&"))
    place = url.removeprefix("https://vendor.example")
    double = MAKERS[slug]()
    double.answer(Ask(request.method, place, named, headers, json.dumps(body).encode()))
    return list(double.problems)


@pytest.mark.parametrize("slug", sorted(MAKERS))
def test_a_sale_is_fine(slug: str) -> None:
    assert problems(slug) == []


@pytest.mark.parametrize(
    ("slug", "path", "value", "problem"),
    [
        ("meta", (*DATA, "event_time"), int(NOW) + 60, "event_time"),
        ("meta", (*DATA, "event_time"), int(NOW) - 8 * 86_400, "event_time"),
        ("meta", (*DATA, "user_data", "em"), ["a@b.example"], "not hashed"),
        ("meta", (*DATA, "user_data", "x"), "y", "unknown key"),
        ("meta", (*DATA, "custom_data", "currency"), "Euro", "currency"),
        ("meta", (*DATA, "custom_data", "value"), "5", "no number"),
        ("meta", (*DATA, "custom_data", "own"), {}, "object"),
        ("meta", (*DATA, "custom_data"), {}, "without currency"),
        ("tiktok", (*DATA, "event_time"), int(NOW) + 60, "event_time"),
        ("tiktok", (*DATA, "user", "email"), "a@b.example", "not hashed"),
        ("tiktok", (*DATA, "user", "country"), "usa", "country"),
        ("tiktok", (*DATA, "properties", "own"), 1, "unknown key"),
        ("tiktok", (*DATA, "page"), {}, "without a page"),
        ("posthog", ("batch", 0, "distinct_id"), "undefined", "distinct_id"),
        ("posthog", ("batch", 0, "timestamp"), "2027-01-01T00:00:00Z", "timestamp"),
        ("posthog", ("batch", 0, "event"), "", "no name"),
        ("posthog", ("batch", 0, "properties", "$set"), "x", "no object"),
        ("klaviyo", (*PROFILE, "email"), "n/a", "email"),
        ("klaviyo", (*PROFILE, "phone_number"), "0170 1234567", "phone_number"),
        ("klaviyo", PROFILE, {"properties": {}}, "nobody"),
        ("klaviyo", ("data", "attributes", "value"), "5", "no number"),
        ("klaviyo", ("data", "attributes", "time"), "2027-01-01T00:00:00Z", "time"),
        ("klaviyo", ("data", "attributes", "properties"), {str(n): n for n in range(401)}, "prop"),
        ("segment", ("batch", 0, "event"), "", "without a name"),
        ("segment", ("batch", 0, "properties", "x"), "y" * 33_000, "32 KB"),
        ("segment", ("batch", 0, "timestamp"), "2027-01-01T00:00:00Z", "timestamp"),
    ],
)
def test_what_breaks_a_rule_is_a_problem(
    slug: str, path: tuple[Any, ...], value: Any, problem: str
) -> None:
    assert any(problem in found for found in problems(slug, path, value))


@pytest.mark.parametrize(
    ("name", "value", "is_there"),
    [
        ("a", "text", True),
        ("a", " text ", True),
        ("a", "tex", True),
        ("a", "missing", False),
        ("a", 5, True),
        ("a", 6, False),
        ("a", "5.0", True),
        ("a", True, False),
        ("a", None, False),
        ("email", "Hidden", True),
        ("email", "other", False),
        ("category", "Home > Boots", True),
        ("category", "Home > Hats", False),
    ],
)
def test_the_second_opinion_finds_what_is_there(name: str, value: Any, is_there: bool) -> None:
    digest = hashlib.sha256(b"hidden").hexdigest()
    body = {"x": "text", "n": 5, "deep": '{"y": [1]}', "hash": digest, "c": "Home/Boots"}
    assert Haystack(json.dumps(body).encode()).has(("properties", name), value) is is_there
