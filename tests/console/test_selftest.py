"""The self-test: what the server saw of the request, and one sentence for each thing to change."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import shoot
from tests.support.people import viewer
from tracking.health import overview
from tracking.models import Heartbeat

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "k" * 60


@pytest.fixture(autouse=True)
def _fresh() -> None:
    overview.stored.forget()


def seen(settings: Any, remote: str = "10.0.0.1", headers: Any = None, **how: Any) -> str:
    """The page's text, for a request from there."""
    settings.SECRET_KEY = KEY
    settings.HITSTREAM = {**settings.HITSTREAM, **how}
    client = Client(REMOTE_ADDR=remote)
    client.force_login(viewer())
    answer = client.get("/console/self-test/", headers=headers or {})
    assert answer.status_code == 200
    return answer.content.decode().replace("&#x27;", "'")


def test_with_nothing_wrong_nothing_is_to_change(settings: Any, sign_in: SignIn) -> None:
    settings.SECRET_KEY = KEY
    # More than any disk of a machine that runs the tests is short of.
    settings.HITSTREAM = {**settings.HITSTREAM, "DISK_BYTES": 2**50}
    for name in ("worker", "beat"):
        Heartbeat.objects.beat(name)
    page = sign_in(viewer(), "/console/self-test/")
    expect(page.get_by_text("Nothing about this request")).to_be_visible()
    expect(page.locator(".hs-parts .hs-good")).to_have_count(9)
    assert violations(page) == []
    shoot(page, "self-test-good")


def test_with_much_wrong_each_is_one_sentence(settings: Any, sign_in: SignIn) -> None:
    settings.SECRET_KEY, settings.DEBUG = "tests", True
    settings.HITSTREAM = {
        **settings.HITSTREAM,
        "PUBLIC_URL": "https://hits.example",
        "PARTITION_DAYS_AHEAD": 30,
        "SECRET_KEYS": (),
        "DISK_BYTES": 1,
    }
    page = sign_in(viewer(), "/console/self-test/")
    page.context.set_extra_http_headers({"X-Forwarded-For": "203.0.113.7"})
    page.reload()
    expect(page.locator(".hs-advice li")).to_have_count(7)
    page.click("text=Headers")
    assert violations(page) == []
    shoot(page, "self-test-bad")


def test_a_forwarded_address_of_nobody_we_trust_is_not_believed(settings: Any) -> None:
    text = seen(settings, headers={"x-forwarded-for": "1.2.3.4"})
    assert "The request has X-Forwarded-For, but 10.0.0.1 is not in TRUSTED_PROXIES" in text
    assert "HITSTREAM_TRUSTED_PROXIES=10.0.0.1" in text
    assert "<dt>Client IP</dt><dd>10.0.0.1</dd>" in text
    assert "not trusted" in text


def test_behind_a_trusted_proxy_a_forged_address_is_told_from_a_true_one(settings: Any) -> None:
    forged = {"x-forwarded-for": "1.2.3.4, 203.0.113.7"}
    text = seen(settings, headers=forged, TRUSTED_PROXIES=("10.0.0.0/8",))
    assert "<dt>Client IP</dt><dd>203.0.113.7</dd>" in text
    assert "TRUSTED_PROXIES=" not in text
    assert "the client itself may have written it" in text


def test_https_outside_and_http_inside(settings: Any) -> None:
    text = seen(
        settings,
        headers={"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7"},
        TRUSTED_PROXIES=("10.0.0.1",),
        PUBLIC_URL="https://hits.example",
    )
    assert "set BEHIND_TLS_PROXY=1" in text
    assert "ALLOWED_HOSTS lacks hits.example" in text
    assert "CSRF_TRUSTED_ORIGINS lacks https://hits.example" in text


def test_what_opens_something_is_masked(settings: Any) -> None:
    names = ("x-api-key", "x-amzn-oidc-data", "cf-access-jwt-assertion", "x-session-id")
    secrets = {"authorization": "Bearer very-secret", **dict.fromkeys(names, "very-secret")}
    text = seen(settings, headers=secrets)
    assert "very-secret" not in text
    assert "sessionid" not in text
    assert "••••" in text
