"""What load balancers and Prometheus are answered, by whatever name they call."""

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Send, hit
from tests.ingest.posting import Answer, ask, get
from tests.integrations import add_webhook
from tracking.metrics.exposition import exposition
from tracking.models import Pulse, Tally, Token

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "0123456789abcdef0123456789"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    exposition.forget()


def metrics(settings: Any, *, remote: str = "203.0.113.7", bearer: str = "", **how: Any) -> Answer:
    settings.HITSTREAM = {**settings.HITSTREAM, **how}
    environ = {"REMOTE_ADDR": remote, "HTTP_HOST": "10.1.2.3:8000"}
    if bearer:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {bearer}"
    return ask("GET", "/metrics", environ)


Figures = Callable[..., float]


def figures(settings: Any) -> Figures:
    """What is read, by its name and labels."""
    exposition.forget()
    answer = metrics(settings, METRICS_TOKEN=TOKEN, bearer=TOKEN)
    assert answer.status_code == 200, answer.content
    families = text_string_to_metric_families(answer.content.decode())
    found = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }
    return lambda name, **labels: found[f"hitstream_{name}", frozenset(labels.items())]


def test_alive_and_ready_by_whatever_host(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["hits.example"]
    for path in ("/healthz", "/readyz", "/healthz/", "/readyz/"):
        answer = get(path, host="10.1.2.3:8000")
        assert answer.status_code == 200, answer.content
        assert "Set-Cookie" not in answer.headers
        assert answer["Cache-Control"] == "no-store"


def test_ready_says_what_is_degraded_and_is_200() -> None:
    answer = get("/readyz")
    said = answer.json()
    assert (answer.status_code, said["status"]) == (200, "degraded")
    assert said["parts"]["Postgres"]["state"] == "good"
    assert said["parts"]["Worker"]["state"] == "poor"


def test_without_leave_there_are_no_metrics(settings: Any) -> None:
    assert metrics(settings).status_code == 404
    assert metrics(settings, bearer="anything").status_code == 404


def test_who_may_read_metrics(settings: Any) -> None:
    allowed: dict[str, Any] = {"METRICS_TOKEN": TOKEN, "METRICS_FOR": ("10.0.0.0/8", "::1")}
    assert metrics(settings, **allowed).status_code == 401
    assert metrics(settings, **allowed, bearer="wrong").status_code == 401
    assert metrics(settings, **allowed, bearer=TOKEN).status_code == 200
    assert metrics(settings, **allowed, remote="10.9.9.9").status_code == 200
    assert metrics(settings, **allowed, remote="::1").status_code == 200
    assert metrics(settings, METRICS_TOKEN="", METRICS_FOR=("::1",), bearer="x").status_code == 401


def test_a_scrape_that_is_refused_is_no_refused_hit(settings: Any) -> None:
    metrics(settings, METRICS_TOKEN=TOKEN)
    assert not Tally.objects.filter(what="refused").exists()


def test_the_figures_are_those_of_the_database(settings: Any, token: Token, send: Send) -> None:
    integration = add_webhook(token, name='O"r\\ders\nnow')
    for number in (1, 1, 2):
        assert send(hit(hitId=f"h{number}")).status_code == 204
    Pulse.objects.beat("worker")
    integration.pause()
    found = figures(settings)
    shop = {"token": "shop"}
    orders = {"token": "shop", "integration": 'O"r\\ders\nnow'}
    assert found("hits_total", **shop, result="accepted", reason="") == 3
    assert found("hits_total", **shop, result="duplicate", reason="") == 1
    assert found("deliveries_total", **orders, result="matched") == 2
    assert found("deliveries_total", **orders, result="delivered") == 0
    assert found("owed", **orders) == 2
    assert found("retrying", **orders) == 0
    assert 0 <= found("oldest_owed_seconds", **orders) < 60
    assert found("dead_letters", **orders) == 0
    assert found("paused", **orders, cause="operator") == 1
    assert found("paused", **orders, cause="down") == 0
    assert found("alerts_open", kind="paused") == 0
    assert found("partitions_ahead_days") == 1
    assert 0 <= found("pulse_age_seconds", part="worker") < 60
    assert found("database_bytes") > 1_000_000


def test_a_deleted_tokens_counts_go_on_under_another_name(
    settings: Any, token: Token, send: Send
) -> None:
    send(hit())
    token.mark_deleted()
    Token.objects.issue("shop")
    named = f"shop (deleted {token.pk})"
    assert figures(settings)("hits_total", token=named, result="accepted", reason="") == 1
