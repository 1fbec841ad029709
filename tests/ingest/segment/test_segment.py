"""The wire of Segment's, RudderStack's and Jitsu's SDKs, mapped onto hits."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.hits import basic
from tests.support.integrations import add_webhook
from tests.support.posting import get, post
from tracking.models import Hit, Integration, QueuedDelivery, Token
from tracking.models.tokens.api_token import ApiToken

SUCCESS = {"success": True}
#: What each type has to say.
EVENTS: dict[str, dict[str, Any]] = {
    "track": {"event": "Added Product", "properties": {"price": 9.5}},
    "identify": {"traits": {"plan": "pro", "emailHash": "e1"}},
    "page": {"name": "Home", "properties": {"path": "/"}},
    "screen": {"properties": {"name": "Cart"}},
    "group": {"groupId": "g1", "traits": {"name": "Acme"}},
    "alias": {"previousId": "a0"},
}
NAMES = {"track": "Added Product", "page": "Home", "screen": "Cart"}


def event(type: str = "track", **changes: Any) -> dict[str, Any]:
    return {"type": type, "userId": "u1", "messageId": f"m-{type}", **EVENTS[type], **changes}


def batch_of(*events: Any, **shared: Any) -> dict[str, Any]:
    return {"batch": list(events), **shared}


def options(integration: Integration) -> Any:
    """What the destination gets to see of the one stored hit."""
    return Hit.objects.events([Hit.objects.get().pk], integration)[Hit.objects.get().pk]


@pytest.mark.parametrize("type", EVENTS)
@pytest.mark.parametrize("path", ["v1/{type}", "v1/{letter}", "v1/{letter}/", "v1/batch"])
def test_every_type_is_stored_as_itself(
    token: Token, secret: ApiToken, path: str, type: str
) -> None:
    sent = event(type)
    body = batch_of(sent) if path == "v1/batch" else sent
    url = "/" + path.format(type=type, letter=type[0])
    answer = post(url, body, authorization=basic(secret))
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    stored = Hit.objects.get()
    assert (stored.type, stored.name) == (type, NAMES.get(type, ""))
    assert (stored.hit_id, stored.user_id, stored.payload) == (f"m-{type}", "u1", sent)


def test_destinations_see_one_event_whatever_its_shape(token: Token, secret: ApiToken) -> None:
    hook = add_webhook(token)
    post("/v1/group", event("group", context={"ip": "1.2.3.4"}), authorization=basic(secret))
    seen = options(hook)
    assert (seen.type, seen.group_id, seen.traits) == ("group", "g1", {"name": "Acme"})
    assert seen.context == {"ip": "1.2.3.4"}
    Hit.objects.all().delete()
    post("/v1/alias", event("alias"), authorization=basic(secret))
    assert (options(hook).previous_id, options(hook).user_id) == ("a0", "u1")
    Hit.objects.all().delete()
    ours = {"event": {"name": "X", "price": 1, "user": {"userId": "u1", "plan": "pro"}}}
    post("/track", ours, content_type="application/json", authorization=basic(secret))
    seen = options(hook)
    assert (seen.type, seen.name, seen.properties) == ("track", "X", {"price": 1})
    assert seen.traits == {"userId": "u1", "plan": "pro"}


@pytest.mark.parametrize("public", [True, False], ids=["project id", "API token"])
@pytest.mark.parametrize("place", ["basic", "body", "query", "jitsu", "jitsu pair"])
def test_the_write_key_may_stand_in_each_of_its_places(
    token: Token, secret: ApiToken, place: str, public: bool
) -> None:
    key = str(token.project_id) if public else str(secret)
    headers = {
        "basic": {"authorization": basic(key)},
        "jitsu": {"x_write_key": key},
        "jitsu pair": {"x_write_key": f"{token.project_id}:{key}"},
    }
    sent = event(**({"writeKey": key} if place == "body" else {}))
    query = f"?writeKey={key}" if place == "query" else ""
    for path, body in (("/v1/track", sent), ("/v1/b", batch_of(sent, writeKey=key))):
        if place != "body" and path == "/v1/b":
            del body["writeKey"]
        answer = post(path + query, body, **headers.get(place, {}))
        assert (answer.status_code, answer.json()) == (200, SUCCESS)
    stored = Hit.objects.get()
    assert stored.token == token
    assert key not in json.dumps(stored.payload)


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, event(), "token_missing"),
        ({}, event(writeKey=7), "token_missing"),
        ({}, event(writeKey="nobody"), "token_invalid"),
        ({"authorization": basic("nobody")}, b"not JSON", "token_invalid"),
        ({"authorization": "Bearer x"}, event(), "token_missing"),
        ({"authorization": "Basic !"}, event(), "token_malformed"),
        ({"x_write_key": "nobody"}, event(), "token_invalid"),
    ],
)
def test_without_a_good_key_nothing_is_stored(
    token: Token, headers: dict[str, str], body: Any, code: str
) -> None:
    for path in ("/v1/track", "/v1/page", "/api/s/track"):
        answer = post(path, body, origin="https://shop.example", **headers)
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert answer["Access-Control-Allow-Origin"] == "https://shop.example"
        assert answer["WWW-Authenticate"] == "ApiToken"
        assert set(answer.json()) == {"code", "message"}
    assert not Hit.objects.exists()


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", ""])
@pytest.mark.parametrize("zipped", [True, False])
def test_the_body_is_json_whatever_its_type_says(
    secret: ApiToken, content_type: str, zipped: bool
) -> None:
    body = json.dumps(batch_of(event())).encode()
    headers = {"content_encoding": "gzip"} if zipped else {}
    answer = post(
        "/v1/batch",
        gzip.compress(body) if zipped else body,
        content_type=content_type,
        authorization=basic(secret),
        **headers,
    )
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    assert Hit.objects.get().payload == event()


def test_a_bad_event_costs_no_other(secret: ApiToken) -> None:
    events = [
        *(event(), event("identify", userId=None), {**event(), "type": "dance"}, event(event="")),
        *(event("group", groupId=None), event("alias", previousId=""), event(traits=[1])),
        *(event("page"), event(pad="x" * 73_728), event(name="n" * 256, event=[]), 7),
    ]
    answer = post("/v1/batch", batch_of(*events), authorization=basic(secret))
    said = answer.json()
    assert (answer.status_code, said["success"]) == (200, True)
    assert {result["index"]: result["code"] for result in said["results"]} == {
        1: "user_required",
        2: "type_invalid",
        3: "event_required",
        4: "field_required",
        5: "field_required",
        6: "field_invalid",
        8: "hit_too_large",
        9: "field_invalid",
        10: "json_not_object",
    }
    assert set(Hit.objects.values_list("hit_id", flat=True)) == {"m-track", "m-page"}


def test_if_nothing_can_be_stored_the_answer_is_400(secret: ApiToken) -> None:
    answer = post("/v1/batch", batch_of({**event(), "type": "dance"}), authorization=basic(secret))
    said = answer.json()
    assert (answer.status_code, said["code"]) == (400, "nothing_stored")
    assert [result["code"] for result in said["results"]] == ["type_invalid"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not JSON", "json_invalid"),
        ({"batch": []}, "batch_empty"),
        ({"batch": {}}, "batch_invalid"),
        ({}, "batch_invalid"),
        ({"batch": [event()], "context": 7}, "batch_invalid"),
        ({"batch": [event()] * 2501}, "batch_too_large"),
        ({"batch": [event()], "context": {"x": "x" * 73_728}}, "batch_too_large"),
        ({"batch": [event()], "integrations": {"x": {"x": "x" * 73_728}}}, "batch_too_large"),
        ({"batch": [event()] * 1000, "context": {"x": "x" * 8_192}}, "batch_too_large"),
        (b"x" * 512_001, "body_too_large"),
    ],
)
def test_what_is_no_batch_is_refused(secret: ApiToken, body: Any, code: str) -> None:
    answer = post("/v1/batch", body, authorization=basic(secret))
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_an_empty_batch_shows_whether_the_key_is_right() -> None:
    answer = post("/v1/batch", {"batch": []}, authorization=basic("wrong"))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_what_a_batch_says_once_holds_for_each_event(token: Token, secret: ApiToken) -> None:
    add_webhook(token)
    shared = {
        "context": {"locale": "de", "app": {"name": "shop"}},
        "integrations": {"All": False},
        "sentAt": "2026-11-24T10:00:00Z",
    }
    own = event("page", context={"locale": "fr"}, integrations={"All": True})
    post("/v1/batch", batch_of(event(), own, **shared), authorization=basic(secret))
    first, second = Hit.objects.order_by("pk")
    assert first.payload["context"] == shared["context"]
    assert second.payload["context"] == {"locale": "fr", "app": {"name": "shop"}}
    assert first.sent_at == second.sent_at == datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert list(QueuedDelivery.objects.values_list("hit_id", flat=True)) == [second.pk]


def test_null_ids_are_no_ids_and_numbers_become_texts(secret: ApiToken) -> None:
    sent = event(userId=None, anonymousId=17)
    assert post("/v1/t", sent, authorization=basic(secret)).status_code == 200
    stored = Hit.objects.get()
    assert (stored.user_id, stored.anonymous_id) == ("", "17")


def test_a_repeated_message_is_stored_once(secret: ApiToken) -> None:
    for _ in range(3):
        assert post("/v1/t", event(), authorization=basic(secret)).json() == SUCCESS
    answer = post("/v1/b", batch_of(event(), event()), authorization=basic(secret))
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    assert Hit.objects.count() == 1


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("original", ["timestamp", "originalTimestamp"])
def test_a_wrong_clock_is_corrected(secret: ApiToken, original: str) -> None:
    """Whatever the sender's clock says, it happened a minute before it was sent."""
    sent = {original: iso(NOON), "sentAt": iso(NOON + timedelta(minutes=1))}
    post("/v1/t", event(**sent), authorization=basic(secret))
    stored = Hit.objects.get()
    assert stored.received_at - stored.occurred_at == timedelta(minutes=1)
    assert (stored.clock, stored.sent_at) == ("corrected", NOON + timedelta(minutes=1))
    assert {name: stored.payload[name] for name in sent} == sent


@pytest.mark.parametrize(
    ("path", "sent", "clock", "occurred_at"),
    [
        ("/v1/t", {"timestamp": iso(NOON)}, "timestamp", NOON),
        ("/v1/t", {"sentAt": iso(NOON)}, "sent", NOON),
        ("/v1/t", {"timestamp": iso(NOON), "sentAt": iso(NOON)}, "corrected", None),
        ("/v1/t", {"timestamp": "2026-11-24T12:00:01Z", "sentAt": iso(NOON)}, "capped", None),
        (
            "/v1/t",
            {
                "timestamp": iso(NOON),
                "originalTimestamp": "2026-11-24T13:00:00Z",
                "sentAt": iso(NOON),
            },
            "timestamp",
            NOON,
        ),
        ("/v1/t", {}, "received", None),
        ("/v1/t", {"timestamp": None, "sentAt": None}, "received", None),
        (
            "/v1/t",
            {"timestamp": "0001-01-01T00:00:00Z", "sentAt": "9999-12-31T00:00:00Z"},
            "unreadable",
            None,
        ),
        ("/v1/import", {"timestamp": iso(NOON), "sentAt": iso(NOON)}, "timestamp", NOON),
    ],
)
def test_the_rule_that_gave_the_time_is_kept(
    secret: ApiToken, path: str, sent: dict[str, Any], clock: str, occurred_at: datetime | None
) -> None:
    body = batch_of(event(**sent)) if path == "/v1/import" else event(**sent)
    assert post(path, body, authorization=basic(secret)).json() == SUCCESS
    stored = Hit.objects.get()
    assert (stored.clock, stored.occurred_at) == (clock, occurred_at or stored.received_at)


def test_a_beacon_names_its_key_in_the_query(token: Token) -> None:
    url = f"/beacon/v1/batch?writeKey={token.project_id}"
    assert post(url, batch_of(event()), content_type="text/plain").json() == SUCCESS
    assert Hit.objects.get().token == token


def test_metrics_are_taken_and_ignored(transactional_db: None) -> None:
    answer = post("/v1/m", b"anything", origin="https://shop.example")
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    assert not Hit.objects.exists()


@pytest.mark.parametrize("path", ["/api/s/track", "/api/s/s2s/track"])
def test_jitsus_routes_take_an_event_of_their_type(secret: ApiToken, path: str) -> None:
    answer = post(path, event(), x_write_key=f"any:{secret}")
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    assert Hit.objects.get().type == "track"


@pytest.mark.parametrize(
    ("policy", "asked", "ip"),
    [
        ("keep", "keep", "203.0.113.7"),
        ("keep", "stripLastOctet", "203.0.113.0"),
        ("keep", "remove", None),
        ("anonymise", "keep", "203.0.113.0"),
        ("drop", "keep", None),
    ],
)
def test_jitsus_sdk_may_ask_for_less_of_the_address_never_for_more(
    token: Token, secret: ApiToken, policy: str, asked: str, ip: str | None
) -> None:
    token.ip_policy = policy
    token.save()
    post("/api/s/track", event(), x_write_key=str(secret), x_ip_policy=asked)
    assert Hit.objects.get().ip == ip


def pixel(type: str, data: Any, **headers: str) -> Any:
    text = data if isinstance(data, str) else base64.b64encode(json.dumps(data).encode()).decode()
    return get(f"/v1/pixel/{type}", {"data": text}, **headers)


def test_a_pixel_may_begin_with_a_byte_order_mark(token: Token) -> None:
    sent = b"\xef\xbb\xbf" + json.dumps(event(writeKey=str(token.project_id))).encode()
    assert pixel("track", base64.b64encode(sent).decode()).status_code == 200


@pytest.mark.parametrize("alphabet", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padded", [True, False])
def test_a_pixel_is_an_event(token: Token, alphabet: Any, padded: bool) -> None:
    sent = event("page", name="Mail ~~ÿ?>", writeKey=str(token.project_id))
    data = alphabet(json.dumps(sent, ensure_ascii=False).encode()).decode()
    answer = pixel("page", data if padded else data.rstrip("="))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/gif")
    assert answer.content.startswith(b"GIF89a")
    assert answer["Cache-Control"] == "no-store"
    assert Hit.objects.get().name == "Mail ~~ÿ?>"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        ("", 400, "body_empty"),
        ("!!!", 400, "data_invalid"),
        ({"event": "x"}, 401, "token_missing"),
        ({"event": "x", "writeKey": "nobody"}, 401, "token_invalid"),
    ],
)
def test_a_pixel_that_stores_nothing_is_a_gif_with_another_status(
    token: Token, data: Any, status: int, code: str
) -> None:
    answer = pixel("track", data)
    assert (answer.status_code, answer["X-Hitstream-Code"]) == (status, code)
    assert (answer["Content-Type"], answer.content[:6]) == ("image/gif", b"GIF89a")


def test_a_query_may_say_much_else(token: Token) -> None:
    much = {f"utm_{number}": "x" for number in range(2000)}
    key = {"writeKey": str(token.project_id)}
    data = base64.b64encode(json.dumps(event()).encode()).decode()
    assert get("/v1/pixel/track", {**much, "data": data, **key}).status_code == 200
    assert get("/sourceConfig", {**much, **key}).status_code == 200
    assert post(f"/v1/track?{urlencode({**much, **key})}", event()).status_code == 200


@pytest.mark.parametrize("host", ["hits.example", "127.0.0.1:8000", "[::1]:8000"])
def test_the_settings_send_the_browser_back_to_where_it_came_from(token: Token, host: str) -> None:
    answer = get(f"/v1/projects/{token.project_id}/settings", host=host, origin="https://a.example")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, max-age=300"
    assert answer.json()["integrations"]["Segment.io"] == {
        "apiKey": str(token.project_id),
        "apiHost": f"{host}/v1",
        "protocol": "http",
    }
    assert answer["Access-Control-Allow-Origin"] == "https://a.example"


def test_the_settings_believe_trusted_proxies_only(token: Token, settings: Any) -> None:
    url = f"/v1/projects/{token.project_id}/settings"
    told = {"x_forwarded_proto": "https", "x_forwarded_host": "shop.example"}

    def home() -> str:
        segment = get(url, None, **told).json()["integrations"]["Segment.io"]
        return f"{segment['protocol']}://{segment['apiHost']}"

    assert home() == "http://hits.example/v1"
    settings.HITSTREAM = {**settings.HITSTREAM, "TRUSTED_PROXIES": ("127.0.0.1",)}
    assert home() == "https://shop.example/v1"
    told["x_forwarded_host"] = "evil.example, shop.example"
    assert home() == "https://shop.example/v1"
    settings.HITSTREAM = {**settings.HITSTREAM, "PUBLIC_URL": "https://hits.example:444/in/"}
    assert home() == "https://hits.example:444/in/v1"


@pytest.mark.parametrize("path", ["/sourceConfig", "/sourceConfig/"])
def test_rudderstacks_source_is_on_and_has_no_destinations(token: Token, path: str) -> None:
    key = str(token.project_id)
    by_query, by_header = get(path, {"writeKey": key}), get(path, authorization=basic(key))
    assert by_query.status_code == by_header.status_code == 200
    source = by_query.json()["source"]
    assert (source["writeKey"], source["enabled"], source["destinations"]) == (key, True, [])
    assert by_header.json() == by_query.json()


@pytest.mark.parametrize("path", ["/v1/projects/nobody/settings", "/sourceConfig?writeKey=nobody"])
def test_an_unknown_key_has_no_settings(transactional_db: None, path: str) -> None:
    answer = get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "token_invalid")
