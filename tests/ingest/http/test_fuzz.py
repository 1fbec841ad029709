"""Whatever a sender comes up with: an answer below 500, and 204 exactly where a hit is stored."""

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.support.hits import Send, basic, hit
from tests.support.sizes import examples
from tracking.models import Hit
from tracking.models.tokens.api_token import ApiToken

pytestmark = pytest.mark.django_db(transaction=True)

slow = settings(
    deadline=None,
    max_examples=examples(300),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
# Small: to make a large example takes a hundred times as long as to send it.
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
known = st.sampled_from(
    ["event", "user", "userId", "anonymousId", "hitId", "sentAt", "context", "integrations"]
)
objects = st.dictionaries(
    known | st.text(),
    values | st.dictionaries(known | st.text(), values, max_size=4),
    max_size=6,
)


def check(send: Send, body: bytes, **headers: str) -> None:
    before = Hit.objects.count()
    answer = send(body, **headers)
    assert answer.status_code < 500
    assert (answer.status_code == 204) == (answer.content == b"")
    stored = Hit.objects.count() - before
    if answer.status_code == 204:
        assert stored == 1 or (stored == 0 and b"hitId" in body)
    else:
        assert set(answer.json()) == {"code", "message"}
        assert stored == 0


def as_stored(value: Any) -> Any:
    """Python's view of JSON, as jsonb keeps it: no NUL, no minus zero, whole floats as numbers."""
    if isinstance(value, str):
        return (
            value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "�")
        )
    if isinstance(value, dict):
        return {as_stored(key): as_stored(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_stored(item) for item in value]
    return value


def equal(sent: Any, stored: Any) -> bool:
    if isinstance(sent, dict) and isinstance(stored, dict):
        return sent.keys() == stored.keys() and all(equal(sent[k], stored[k]) for k in sent)
    if isinstance(sent, list) and isinstance(stored, list):
        return len(sent) == len(stored) and all(map(equal, sent, stored))
    if isinstance(sent, float):
        # A double beyond 2**53 comes back with all its digits.
        return isinstance(stored, (int, float)) and math.isclose(sent, float(stored), rel_tol=0)
    return type(sent) is type(stored) and bool(sent == stored)


@slow
@given(body=st.binary())
def test_any_bytes_get_a_clear_answer(send: Send, body: bytes) -> None:
    check(send, body)


@slow
@given(body=objects)
def test_any_object_gets_a_clear_answer(send: Send, body: dict[str, Any]) -> None:
    check(send, json.dumps(body).encode())


@slow
@given(event=st.dictionaries(st.text(), values, max_size=6))
def test_any_event_is_stored_as_it_was_sent(send: Send, event: dict[str, Any]) -> None:
    body = {"userId": "u1", "event": {"properties": event}}
    Hit.objects.all().delete()
    assert send(json.dumps(body).encode()).status_code == 204
    assert equal(as_stored(body), Hit.objects.get().payload)


@slow
@given(header=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n")))
def test_any_header_from_a_stranger_is_answered_401(send: Send, header: str) -> None:
    assert send(hit(), authorization=header).status_code == 401


@slow
@given(encoding=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n")))
def test_any_content_encoding_gets_a_clear_answer(send: Send, encoding: str) -> None:
    check(send, json.dumps(hit()).encode(), content_encoding=encoding)


@slow
@given(length=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n")))
def test_any_content_length_gets_a_clear_answer(send: Send, length: str) -> None:
    body = json.dumps(hit()).encode()
    # The test client refuses to read more than there is.
    assume(not length.strip().isdecimal() or int(length.strip()) <= len(body))
    check(send, body, content_length=length)


@slow
@given(names=st.dictionaries(st.text(), values, max_size=6))
def test_any_switches_are_stored(send: Send, names: dict[str, Any]) -> None:
    check(send, json.dumps(hit(integrations=names)).encode())


def test_a_secret_is_no_other_secrets_prefix(send: Send, secret: ApiToken) -> None:
    for wrong in (secret[:-1], secret + "x", secret.prefix, secret.upper(), secret + "\0"):
        assert send(hit(), authorization=basic(wrong)).status_code == 401
