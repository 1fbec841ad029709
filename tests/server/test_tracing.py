"""A collector gets the way of a hit, from request to answer, and no content of it."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from tests.support.hits import basic
from tests.support.integrations import add_webhook
from tests.support.posting import ask
from tests.support.receiver import Receiver, attributes, receiving
from tests.support.vendor import Vendor, reply
from tracking import observer
from tracking.delivery.engine import engine
from tracking.models import Attempt, Hit, Token
from tracking.models.tokens.api_token import ApiToken
from tracking.server.tracing import HitTraces, Seldom, is_sampled

SECRET = "only-the-vendor-may-read-it"
CALLER = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{CALLER}-b7ad6b7169203331-01"


@contextmanager
def tracing(
    patch: pytest.MonkeyPatch, *, ratio: float = 1.0, send_traceparent: bool = False
) -> Iterator[Receiver]:
    """All that is sent has arrived once the context has ended."""
    with receiving() as receiver:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{receiver.address}")
        traces = HitTraces(
            ratio=ratio, headers={"x-key": "of-the-collector"}, send_traceparent=send_traceparent
        )
        observer.install(traces)
        try:
            yield receiver
        finally:
            observer.install(observer.Observer())
            traces.close()


def post(secret: ApiToken, **environ: str) -> None:
    head = {"HTTP_AUTHORIZATION": basic(secret), "CONTENT_TYPE": "application/json", **environ}
    body = json.dumps({"userId": SECRET, "event": {"name": "Bought", "to": SECRET}}).encode()
    assert ask("POST", "/track", head, body).status_code == 204


def answered_of(hits: list[UUID]) -> observer.Answered:
    return observer.Answered(
        integration=1,
        destination="webhook",
        attempt=uuid7(),
        numbers=dict.fromkeys(hits, 2),
        failed_hits=0,
        status=200,
        duration=0.5,
        error="",
    )


def test_a_hit_is_one_trace_from_request_to_answer(
    secret: ApiToken, token: Token, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = add_webhook(token, vendor.url)
    with tracing(monkeypatch) as receiver:
        post(secret, HTTP_TRACEPARENT=TRACEPARENT)
        engine.run()
    (hit,), (deliver,) = receiver.spans("hit"), receiver.spans("deliver")
    stored, attempt = Hit.objects.get(), Attempt.objects.get()
    assert UUID(bytes=hit.trace_id) == UUID(bytes=deliver.trace_id) == stored.pk
    assert deliver.parent_span_id == hit.span_id
    assert hit.parent_span_id == b""
    assert [link.trace_id.hex() for link in hit.links] == [CALLER]
    assert attributes(hit) == {"hitstream.token": token.pk, "hitstream.type": "track"}
    assert attributes(deliver) == {
        "hitstream.integration": integration.pk,
        "hitstream.destination": "webhook",
        "hitstream.attempt.id": str(attempt.pk),
        "hitstream.attempt.number": 1,
        "hitstream.hits": 1,
        "hitstream.failed_hits": 0,
        "hitstream.duration": attempt.duration,
        "http.response.status_code": 200,
    }
    began = stored.received_at.timestamp()
    assert abs(hit.start_time_unix_nano / 1e9 - began) < 0.01
    assert hit.end_time_unix_nano > hit.start_time_unix_nano
    resource = receiver.requests()[0].resource_spans[0].resource
    assert {each.key: each.value.string_value for each in resource.attributes}[
        "service.name"
    ] == "hitstream"
    assert receiver.heads[0]["x-key"] == "of-the-collector"
    for private in (SECRET, str(secret), "Bought", vendor.url):
        assert not [body for body in receiver.bodies if private.encode() in body]
    assert "traceparent" not in vendor.received[0].headers


def test_a_failed_request_is_an_error_with_its_code(
    secret: ApiToken, token: Token, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.answer = reply(503, f"{SECRET} is too much".encode())
    add_webhook(token, vendor.url)
    with tracing(monkeypatch) as receiver:
        post(secret)
        engine.run()
    (deliver,) = receiver.spans("deliver")
    found = attributes(deliver)
    assert (found["http.response.status_code"], found["error.type"]) == (503, "retryable")
    assert deliver.status.code == 2
    assert not [body for body in receiver.bodies if SECRET.encode() in body]


def test_vendors_get_the_traceparent_where_a_setting_says_so(
    secret: ApiToken, token: Token, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_webhook(token, vendor.url)
    with tracing(monkeypatch, send_traceparent=True) as receiver:
        post(secret)
        engine.run()
    (deliver,) = receiver.spans("deliver")
    expected = f"00-{deliver.trace_id.hex()}-{deliver.span_id.hex()}-01"
    assert vendor.received[0].headers["traceparent"] == expected


def test_a_duplicate_has_no_trace_of_its_own(
    secret: ApiToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = {"HTTP_AUTHORIZATION": basic(secret), "CONTENT_TYPE": "application/json"}
    body = b'{"hitId": "h1", "userId": "u", "event": {"name": "Bought"}}'
    with tracing(monkeypatch) as receiver:
        for _ in range(2):
            assert ask("POST", "/track", head, body).status_code == 204
    assert [UUID(bytes=span.trace_id) for span in receiver.spans("hit")] == [Hit.objects.get().pk]


def test_web_and_worker_keep_the_same_hits(
    secret: ApiToken, token: Token, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_webhook(token, vendor.url)
    hits = [{"userId": str(number), "event": {"name": "Bought"}} for number in range(60)]
    head = {"HTTP_AUTHORIZATION": basic(secret), "CONTENT_TYPE": "application/json"}
    with tracing(monkeypatch, ratio=0.5) as receiver:
        body = json.dumps({"hits": hits}).encode()
        assert ask("POST", "/track/batch", head, body).status_code == 200
        engine.run()
    stored = {span.trace_id for span in receiver.spans("hit")}
    assert {span.trace_id for span in receiver.spans("deliver")} == stored
    assert 10 < len(stored) < 50
    assert stored == {pk.bytes for (pk,) in Hit.objects.values_list("pk") if is_sampled(pk, 0.5)}


def test_the_ratio_is_kept_for_ids_of_one_moment() -> None:
    ids = [uuid7() for _ in range(20_000)]
    assert 0.08 < sum(is_sampled(each, 0.1) for each in ids) / len(ids) < 0.12
    assert not any(is_sampled(each, 0.0) for each in ids)
    assert all(is_sampled(each, 1.0) for each in ids)


def test_a_batch_shows_in_twenty_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    hits = [uuid7() for _ in range(25)]
    with tracing(monkeypatch) as receiver:
        begun = observer.begin(hits)
        observer.end(begun, answered_of(hits))
    spans = receiver.spans("deliver")
    assert [UUID(bytes=span.trace_id) for span in spans] == hits[:20]
    assert len({str(sorted(attributes(span).items())) for span in spans}) == 1


def test_a_collector_that_is_away_does_not_flood_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tracing(monkeypatch) as receiver:
        address = receiver.address
    # Nothing listens there any more.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{address}")
    logger = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    for each in logger.filters[:]:
        logger.removeFilter(each)
    traces = HitTraces(ratio=1.0, headers={}, send_traceparent=False)
    hits = [uuid7()]
    traces.end(traces.begin(hits), answered_of(hits))
    traces.close()
    assert [type(each) for each in logger.filters] == [Seldom]
    assert len([each for each in caplog.records if each.name == logger.name]) == 1
