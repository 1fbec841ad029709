"""The operator's form of a webhook: what it refuses, what it makes itself, what it never shows."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.destinations.vendors.webhook.test_webhook import SECRET
from tracking.destinations.vendors.webhook.config import WebhookConfig
from tracking.destinations.vendors.webhook.destination import Webhook


def fill(*stored: str, **data: Any) -> WebhookConfig:
    return WebhookConfig({"url": "https://example.com/hook", **data}, stored=stored)


def merged(form: WebhookConfig, present: Callable[[], Any]) -> dict[str, Any]:
    """All secrets after a change that leaves the address as it is."""
    return form.merge_secrets(form.split()[0], present)


def test_without_a_secret_one_is_made_and_shown_once() -> None:
    form = fill()
    assert form.is_valid(), form.errors
    plain, secrets = form.split()
    assert plain == {"url": "https://example.com/hook", "batch_size": 1, "timeout": 10}
    assert form.issued == {"signing_secret": secrets["signing_secret"]}
    assert len(base64.b64decode(secrets["signing_secret"].removeprefix("whsec_"))) == 32
    assert fill().is_valid()
    Webhook({**plain, **secrets})


def test_a_stored_secret_stays_when_the_field_is_left_empty() -> None:
    form = fill("signing_secret", "headers")
    assert form.is_valid()
    assert form.issued == {}
    present = {"signing_secret": SECRET, "headers": {"X-A": "1"}}
    assert merged(form, lambda: present) == present


def test_a_dash_removes_a_stored_secret() -> None:
    form = fill("signing_secret", "headers", headers="-")
    assert form.is_valid(), form.errors
    present = {"signing_secret": SECRET, "headers": {"X-A": "1"}}
    assert merged(form, lambda: present) == {"signing_secret": SECRET}


def test_a_dash_for_the_signing_secret_makes_a_new_one() -> None:
    form = fill("signing_secret", signing_secret="-")
    assert form.is_valid()
    assert merged(form, lambda: pytest.fail("nothing is kept")) == form.issued


def test_all_secrets_can_be_entered_anew_when_the_key_is_lost() -> None:
    form = fill("signing_secret", "headers", signing_secret=SECRET, headers="X-A: 1")
    assert form.is_valid()
    assert merged(form, lambda: pytest.fail("opened"))["headers"] == {"X-A": "1"}


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2",
        "whsec_",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        "whsec_!!!!" + "A" * 40,
        base64.b64encode(b"x" * 32).decode(),
    ],
)
def test_a_weak_or_odd_secret_is_refused(secret: str) -> None:
    assert "signing_secret" in fill(signing_secret=secret).errors


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_secret_of_24_to_64_bytes_is_taken(size: int) -> None:
    secret = "whsec_" + base64.b64encode(b"x" * size).decode()
    form = fill(signing_secret=secret)
    assert form.is_valid(), form.errors
    assert form.issued == {}


@pytest.mark.parametrize(
    "text",
    [
        "X-A: 1\nAuthorization: Bearer x:y",
        '{"X-A": "1", "Authorization": "Bearer x:y"}',
        {"X-A": "1", "Authorization": "Bearer x:y"},
    ],
)
def test_headers_are_lines_or_json(text: object) -> None:
    form = fill(headers=text)
    assert form.is_valid(), form.errors
    assert form.split()[1]["headers"] == {"X-A": "1", "Authorization": "Bearer x:y"}


@pytest.mark.parametrize(
    "text",
    [
        "no colon",
        "Host: evil",
        "content-length: 5",
        "Webhook-Id: mine",
        "Proxy-Authorization: x",
        "Transfer-Encoding: chunked",
        "X A: 1",
        "X-Ä: 1",
        "X-A: ä",
        "X-A:",
        ": 1",
        "X-A: 1\nx-a: 2",
        '{"X-A": "1\\r\\nX-B: 2"}',
        '{"X-A": 1}',
        '{"X-A": {"b": "c"}}',
        '{"X-A"',
        '{"X-A": "1", "x-A": "2"}',
        "\n".join(f"X-{n}: 1" for n in range(51)),
    ],
)
def test_headers_that_could_break_the_request_are_refused(text: str) -> None:
    form = fill(headers=text)
    assert "headers" in form.errors
    assert "evil" not in str(form.errors)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.com",
        "example.com",
        "//example.com",
        "javascript:alert(1)",
        "http://",
        "http://[::1",
        "http://x:99999/",
        "https://a b",
        "http://example.com/\nx",
    ],
)
def test_a_url_that_cannot_be_called_is_refused(url: str) -> None:
    assert "url" in WebhookConfig({"url": url}).errors


@pytest.mark.parametrize("url", ["http://app:8000/hook", "https://münchen.example/ü?a=b"])
def test_names_without_a_dot_and_in_any_script_are_taken(url: str) -> None:
    assert fill(url=url).is_valid()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.0.0.1:80", "2130706433"])
@pytest.mark.usefixtures("private_refused")
def test_a_private_address_is_refused_at_once(host: str) -> None:
    assert "HITSTREAM_ALLOW_PRIVATE" in str(fill(url=f"http://{host}/").errors["url"])


@pytest.mark.parametrize(
    ("field", "value"),
    [("batch_size", 0), ("batch_size", 501), ("timeout", 0), ("timeout", 61), ("timeout", "x")],
)
def test_numbers_out_of_range_are_refused(field: str, value: object) -> None:
    assert field in fill(**{field: value}).errors


def test_no_page_shows_a_secret() -> None:
    form = fill(signing_secret=SECRET, headers="X-A: abcdef", batch_size=0)
    assert not form.is_valid()
    assert SECRET not in form.as_p()
    assert "abcdef" not in form.as_p()
