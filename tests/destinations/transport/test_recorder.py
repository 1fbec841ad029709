"""What is kept of a request: no secret, not too much, nothing that cannot be stored."""

from __future__ import annotations

from tests.destinations.conftest import fail, send
from tests.support.vendor import Vendor, reply
from tracking.destinations.transport.recorder import MASK
from tracking.destinations.transport.request import Request
from tracking.events import Transcript
from tracking.exceptions import DeliveryError


def said(caught: DeliveryError) -> Transcript:
    assert caught.exchange is not None
    return caught.exchange.said


def test_secrets_are_masked_wherever_they_stand(vendor: Vendor) -> None:
    secret = 'p/+"ä secret'
    vendor.answer = reply(400, f"who is {secret}?".encode(), X_Echo="t0ken-in-header")
    request = Request(
        url=vendor.url.replace("//", "//user:pa55word@") + "?api_secret=s1&measure=G-1&own=s2",
        body='{"key": "p/+\\"ä secret", "ascii": "p/+\\"\\u00e4 secret"}'.encode(),
        headers={"X-Api-Key": "Bearer abc", "X-Own": "mine", "X-Plain": "seen"},
        secret_headers=frozenset({"x-own"}),
        secret_query=frozenset({"own"}),
        secrets=frozenset({secret, "t0ken-in-header"}),
    )
    caught = fail(request)
    kept = repr(said(caught)) + str(caught)
    for text in (secret, "ä secret", "u00e4", "pa55word", "s1", "s2", "Bearer", "mine", "t0ken"):
        assert text not in kept
    assert "seen" in kept
    assert "measure=G-1" in kept
    assert kept.count(MASK) >= 8
    assert vendor.received[0].headers["x-api-key"] == "Bearer abc"
    assert vendor.received[0].headers["authorization"].startswith("Basic ")
    assert secret not in repr(request)


def test_a_secret_in_a_redirect_is_masked(vendor: Vendor) -> None:
    vendor.answer = reply(302, location="https://u:p@example.com/x?token=abc123&a=1")
    caught = fail(Request(url=vendor.url, body=b"{}"))
    assert f"https://{MASK}@example.com/x?token={MASK}&a=1" in str(caught)
    assert "abc123" not in repr(said(caught))


def test_a_long_request_is_kept_up_to_the_cut(vendor: Vendor) -> None:
    body = b'"' + b"x" * 40_000 + b'"'
    exchange = send(Request(url=vendor.url, body=body)).exchange
    assert "(cut at 16,384 of 40,002 bytes)" in exchange.said.request_body
    assert vendor.received[0].body == body


def test_what_is_kept_can_be_stored_as_text(vendor: Vendor) -> None:
    vendor.answer = reply(400, b"\x00\xff\xed\xa0\x80 odd", X_Odd="caf\xe9")
    caught = fail(Request(url=vendor.url, body=b"{}"))
    kept = repr(said(caught)) + str(caught)
    kept.encode()
    assert "\0" not in kept
