"""Every line of the contract's table, as a sender sees it."""

import gzip
import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from tests.support.hits import Send, basic, hit
from tests.support.sample import SEED
from tracking.ingest.wsgi import answer
from tracking.models import Hit, Token
from tracking.models.tokens.api_token import ApiToken
from tracking.server.wsgi import application


def nested(levels: int) -> dict[str, Any]:
    """A valid hit that is nested so deep in all: its own object and the event count."""
    value: Any = 1
    for _ in range(levels - 2):
        value = [value]
    return hit(event={"deep": value}, userId="u1")


def test_the_documented_sample_is_stored_as_it_was_sent(send: Send, token: Token) -> None:
    before = timezone.now()
    answer = send(SEED)
    assert (answer.status_code, answer.content) == (204, b"")
    stored = Hit.objects.get()
    assert stored.payload == SEED
    assert stored.token == token
    assert stored.revision == token.revision == 1
    assert stored.hit_id == SEED["hitId"]
    assert (stored.type, stored.name) == ("track", "Registered")
    assert stored.user_id == "u2783187492"
    assert stored.anonymous_id == "80ddb140-35c6-11e9-bd56-eb1c05e6de18"
    assert stored.email_hash == "eff8c37862c7a2f0019448289bdd0869c30ae7f07060e4be9d"
    assert stored.sent_at == datetime(2019, 2, 21, 10, 56, 10, 723000, tzinfo=UTC)
    assert stored.occurred_at == stored.sent_at
    assert before <= stored.received_at <= timezone.now()


@pytest.mark.parametrize("path", ["/track", "/track/"])
def test_both_slashes_answer(send: Send, path: str) -> None:
    assert send(hit(), path=path).status_code == 204


def test_a_repeated_hit_is_stored_once(send: Send) -> None:
    assert [send(hit(hitId="h1")).status_code for _ in range(3)] == [204, 204, 204]
    assert Hit.objects.count() == 1


def test_hit_ids_that_differ_in_what_jsonb_cannot_hold_are_different(send: Send) -> None:
    for text in (rb"a\u0000", rb"a\ud800", rb"a\ud801", rb"a\ufffd", rb"a\u0000"):
        assert send(b'{"hitId": "%s", "userId": "u", "event": {}}' % text).status_code == 204
    assert list(Hit.objects.values_list("hit_id", flat=True)) == ["a\ufffd"] * 4


def test_a_hit_id_means_another_hit_with_another_token(send: Send) -> None:
    _, other = Token.objects.issue("other")
    assert send(hit(hitId="h1")).status_code == 204
    assert send(hit(hitId="h1"), authorization=basic(other)).status_code == 204
    assert Hit.objects.count() == 2


def test_a_hit_id_is_forgotten_past_the_window(send: Send, settings: Any) -> None:
    send(hit(hitId="h1"))
    settings.HITSTREAM = {**settings.HITSTREAM, "DEDUP_WINDOW": 0.001}
    time.sleep(0.01)
    assert send(hit(hitId="h1")).status_code == 204
    assert Hit.objects.count() == 2


def test_without_a_hit_id_the_server_gives_one(send: Send) -> None:
    send(hit())
    send(hit(hitId=None))
    assert [stored.hit_id for stored in Hit.objects.all()] == [
        str(stored.id) for stored in Hit.objects.all()
    ]


def test_without_sent_at_the_servers_time_counts(send: Send) -> None:
    send(hit())
    stored = Hit.objects.get()
    assert stored.sent_at == stored.received_at == stored.occurred_at


@pytest.mark.parametrize(
    ("sent_at", "moment"),
    [
        ("2019-02-21T10:56:10+03:00", datetime(2019, 2, 21, 7, 56, 10, tzinfo=UTC)),
        ("2019-02-21T10:56:10", datetime(2019, 2, 21, 10, 56, 10, tzinfo=UTC)),
        ("20190221T105610Z", datetime(2019, 2, 21, 10, 56, 10, tzinfo=UTC)),
        ("2019-02-21", datetime(2019, 2, 21, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_sent_at_takes_any_iso_time(send: Send, sent_at: str, moment: datetime) -> None:
    assert send(hit(sentAt=sent_at)).status_code == 204
    stored = Hit.objects.get()
    assert stored.sent_at == moment
    assert stored.payload["sentAt"] == sent_at


@pytest.mark.parametrize(
    "identity",
    [
        {"event": {"user": {"userId": 5, "anonymousId": "a"}}},
        {"event": {}, "user": {"userId": 5, "anonymousId": "a"}},
        {"event": {}, "userId": 5, "anonymousId": "a"},
        {"event": {"user": {"userId": "5"}}, "userId": "6", "anonymousId": "a"},
        {"event": {"user": "somebody"}, "userId": 5, "anonymousId": "a"},
    ],
)
def test_identity_ends_in_the_same_columns(send: Send, identity: dict[str, Any]) -> None:
    assert send(identity).status_code == 204
    stored = Hit.objects.get()
    assert (stored.user_id, stored.anonymous_id) == ("5", "a")


BAD_HEADERS = [
    "",
    "Basic",
    "Basic !!!",
    "Basic YWJj",
    "Bearer abc123",
    "Token abc123",
    basic("abc123"),
    basic("", ""),
    basic("abc123", "secret"),
    "Basic " + "A" * 9000,
    "Basic \xff\xfe",
]


@pytest.mark.parametrize("header", BAD_HEADERS)
@pytest.mark.parametrize("body", [b"{}", b"\xff not json"])
def test_strangers_are_answered_401_whatever_they_send(
    send: Send, header: str, body: bytes
) -> None:
    answer = send(body, authorization=header)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "ApiToken"
    assert set(answer.json()) == {"code", "message"}
    assert not Hit.objects.exists()


def test_a_secret_with_a_password_opens_nothing(send: Send, secret: ApiToken) -> None:
    assert send(hit(), authorization=basic(secret, "x")).status_code == 401


def test_the_project_id_opens_nothing(send: Send, token: Token) -> None:
    assert send(hit(), authorization=basic(str(token.project_id))).status_code == 401


def test_the_scheme_is_written_in_any_case(send: Send, secret: ApiToken) -> None:
    assert send(hit(), authorization=basic(secret).replace("Basic", "bAsIc")).status_code == 204


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": False},
        {"revoked_at": timezone.now()},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_an_unusable_token_is_answered_401(
    send: Send, token: Token, change: dict[str, Any]
) -> None:
    Token.objects.filter(pk=token.pk).update(**change)
    assert send(hit()).status_code == 401


def test_both_secrets_work_during_a_rotations_grace(send: Send, token: Token) -> None:
    fresh = token.rotate(grace=60)
    assert send(hit()).status_code == 204
    assert send(hit(), authorization=basic(fresh)).status_code == 204


def test_a_rotated_secret_stops_when_its_grace_is_over(send: Send, token: Token) -> None:
    fresh = token.rotate(grace=0)
    assert send(hit()).status_code == 401
    assert send(hit(), authorization=basic(fresh)).status_code == 204


LIMIT = 65_536


def sized(size: int) -> bytes:
    body = json.dumps(hit(pad="")).encode()
    return body[:-2] + b"x" * (size - len(body)) + body[-2:]


def test_exactly_64_kib_is_fine(send: Send) -> None:
    assert send(sized(LIMIT)).status_code == 204


def test_one_byte_more_is_refused_with_both_figures(send: Send) -> None:
    answer = send(sized(LIMIT + 1))
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "body_too_large",
        "message": "The body is 65,537 bytes; the limit is 65,536.",
    }
    assert not Hit.objects.exists()


def test_a_gzip_body_is_unpacked(send: Send) -> None:
    body = gzip.compress(json.dumps(SEED).encode())
    assert send(body, content_encoding="gzip").status_code == 204
    assert Hit.objects.get().payload == SEED


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (gzip.compress(sized(LIMIT + 1)), "body_too_large"),
        (gzip.compress(b"0" * 50_000_000), "body_too_large"),
        (gzip.compress(sized(1000))[:-9], "encoding_invalid"),
        (b"not gzip", "encoding_invalid"),
    ],
    # gzip writes the time into what it makes: two processes would call a case differently.
    ids=["unpacked too long", "a bomb", "cut off", "not gzip"],
)
def test_a_bad_gzip_body_is_refused(send: Send, body: bytes, code: str) -> None:
    answer = send(body, content_encoding="gzip")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "body_empty"),
        (b" \n", "body_empty"),
        (b"{", "json_invalid"),
        (b"{'event': {}}", "json_invalid"),
        (b'{"event": {"a": "\xff"}}', "json_invalid"),
        (b'\xef\xbb\xbf{"event": {}}', "user_required"),
        (b'{"event": {"a": NaN}}', "json_invalid"),
        (b'{"event": {"a": -Infinity}}', "json_invalid"),
        (b'{"event": {"a": 9e131071}}', "json_invalid"),
        (b'{"event": {"a": ' + b"9" * 4301 + b"}}", "json_invalid"),
        (b'{"event": {}} x', "json_invalid"),
        (json.dumps(hit()).encode("utf-16"), "json_invalid"),
        (b"[]", "json_not_object"),
        (b'"hit"', "json_not_object"),
        (b"null", "json_not_object"),
        (json.dumps(nested(101)).encode(), "json_too_deep"),
        (b"[" * 30_000 + b"]" * 30_000, "json_too_deep"),
        (b'{"userId": "u1"}', "event_required"),
        (b'{"userId": "u1", "event": null}', "event_required"),
        (b'{"userId": "u1", "event": "Registered"}', "event_required"),
        (b'{"event": {}}', "user_required"),
        (b'{"event": {"user": {"userId": ""}}, "anonymousId": null}', "user_required"),
    ],
)
def test_a_bad_body_is_refused_with_a_stable_code(send: Send, body: bytes, code: str) -> None:
    answer = send(body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["message"].endswith(".")
    assert not Hit.objects.exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"hitId": ["h"]}, "field_invalid"),
        ({"hitId": True}, "field_invalid"),
        ({"hitId": "h" * 256}, "field_too_long"),
        ({"userId": {}}, "field_invalid"),
        ({"anonymousId": "a" * 256}, "field_too_long"),
        ({"event": {"name": "n" * 256}}, "field_too_long"),
        ({"sentAt": "yesterday"}, "field_invalid"),
        ({"sentAt": 1550746570}, "field_invalid"),
        ({"sentAt": "2019-02-30T00:00:00Z"}, "field_invalid"),
        ({"sentAt": "0001-01-01T00:00:00+14:00"}, "field_invalid"),
        ({"context": "here"}, "field_invalid"),
        ({"context": 0}, "field_invalid"),
        ({"integrations": ["Webhook"]}, "field_invalid"),
    ],
)
def test_a_bad_field_is_refused_by_name(send: Send, change: dict[str, Any], code: str) -> None:
    answer = send({**hit(userId="u1"), **change})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert next(iter(change)) in answer.json()["message"]


def test_the_longest_fields_are_fine(send: Send) -> None:
    longest = "ё" * 255
    body = {"hitId": longest, "event": {"name": longest}, "userId": longest}
    assert send(body).status_code == 204
    assert Hit.objects.get().name == longest


def test_a_hundred_levels_are_fine(send: Send) -> None:
    assert send(nested(100)).status_code == 204


@pytest.mark.parametrize("name", [None, {}, [], True])
def test_a_free_form_name_is_no_reason_to_refuse(send: Send, name: Any) -> None:
    assert send(hit(event={"name": name}, userId="u1")).status_code == 204
    assert Hit.objects.get().name == ""


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_answered_415(send: Send, content_type: str) -> None:
    assert send(hit(), content_type=content_type).status_code == 415


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON;charset=nonsense"]
)
def test_parameters_of_the_content_type_are_fine(send: Send, content_type: str) -> None:
    assert send(hit(), content_type=content_type).status_code == 204


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "trace"])
def test_other_methods_are_answered_405(method: str) -> None:
    answer = getattr(Client(SERVER_NAME="localhost"), method)("/track")
    assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")


def test_any_host_name_is_fine(secret: ApiToken) -> None:
    body = json.dumps(hit()).encode()
    environ = {
        **RequestFactory(SERVER_NAME="some.other.name").generic("POST", "/track", body).environ,
        "HTTP_AUTHORIZATION": basic(secret),
        "CONTENT_TYPE": "application/json",
    }
    said: list[str] = []
    application(environ, lambda status, headers: said.append(status))  # type: ignore[arg-type]
    assert said == ["204 No Content"]
    assert Hit.objects.count() == 1


def test_a_preflight_echoes_what_the_browser_asks_for() -> None:
    answer = Client(SERVER_NAME="localhost").options(
        "/track",
        headers={
            "origin": "http://shop.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,x-retry-count",
        },
    )
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == "http://shop.example"
    assert answer["Access-Control-Allow-Headers"] == "authorization,content-type,x-retry-count"
    assert "POST" in answer["Access-Control-Allow-Methods"]


@pytest.mark.parametrize(
    ("change", "status"), [({}, 204), ({"authorization": ""}, 401), ({"content_type": "a/b"}, 415)]
)
def test_browsers_may_read_every_answer(send: Send, change: dict[str, str], status: int) -> None:
    answer = send(hit(), origin="http://shop.example", **change)
    assert answer.status_code == status
    assert answer["Access-Control-Allow-Origin"] == "http://shop.example"
    assert "Origin" in answer["Vary"]


def test_what_jsonb_cannot_hold_is_replaced_and_the_hit_kept(send: Send) -> None:
    body = rb'{"userId": "\u0000\ud800x\udc00", "event": {"k\u0000": "\\u0000 \ud83d\ude00"}}'
    assert send(body).status_code == 204
    stored = Hit.objects.get()
    assert stored.user_id == "��x�"
    assert stored.payload["event"] == {"k�": "\\u0000 😀"}


def test_numbers_come_back_digit_for_digit(send: Send) -> None:
    numbers = b"[12345678901234567890, 0.1, 1.0, -0.5, 1e-300, " + b"7" * 4300 + b"]"
    assert send(b'{"userId": 1, "event": {"n": %s}}' % numbers).status_code == 204
    assert Hit.objects.get().payload["event"]["n"] == json.loads(numbers)


def test_a_token_may_have_a_rate_limit(send: Send, token: Token) -> None:
    token.rate_limit = 2
    token.save()
    answers = [send(hit()) for _ in range(6)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {204, 429}
    assert refused[0]["Retry-After"] == "1"
    assert refused[0].json()["code"] == "rate_limited"
    assert Hit.objects.count() == 6 - len(refused)


def test_the_sender_is_noted(send: Send) -> None:
    send(hit(), user_agent="curl/8")
    stored = Hit.objects.get()
    assert (stored.ip, stored.user_agent) == ("127.0.0.1", "curl/8")


def test_the_use_of_a_token_is_noted(send: Send, token: Token) -> None:
    send(hit())
    for _ in range(100):
        token.refresh_from_db()
        if token.last_used_at:
            break
        time.sleep(0.02)
    assert token.last_used_at is not None


def test_hits_have_time_ordered_ids(send: Send) -> None:
    for number in range(5):
        send(hit(hitId=str(number)))
    ids = list(Hit.objects.order_by("id").values_list("hit_id", flat=True))
    assert ids == ["0", "1", "2", "3", "4"]
    assert all(uuid.UUID(str(stored.id)).version == 7 for stored in Hit.objects.all())


def test_a_bug_of_ours_is_answered_in_our_words(caplog: pytest.LogCaptureFixture) -> None:
    def broken(request: Any) -> Any:
        raise ZeroDivisionError

    environ = RequestFactory().generic("POST", "/track").environ | {
        "HTTP_ORIGIN": "http://shop.example"
    }
    response = answer(broken, environ)
    assert response.status_code == 500
    assert json.loads(response.getvalue())["code"] == "internal_error"
    assert response["Access-Control-Allow-Origin"] == "http://shop.example"
    assert "ZeroDivisionError" in caplog.text
