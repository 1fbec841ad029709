"""What Prometheus reads is what is in the database."""

from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tracking.metrics.exposition import write
from tracking.models import Heartbeat, Token

pytestmark = pytest.mark.django_db(transaction=True)


def figures() -> Callable[..., float]:
    """What is read, by its name and labels."""
    found = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(write().decode())
        for sample in family.samples
    }
    return lambda name, **labels: found[f"hitstream_{name}", frozenset(labels.items())]


def test_the_figures_are_those_of_the_database(token: Token, send: Send) -> None:
    integration = add_webhook(token, name='O"r\\ders\nnow')
    for number in (1, 1, 2):
        assert send(hit(hitId=f"h{number}")).status_code == 204
    Heartbeat.objects.beat("worker")
    integration.pause()
    found = figures()
    shop = {"token": "shop"}
    orders = {"token": "shop", "integration": 'O"r\\ders\nnow'}
    assert found("hits_total", **shop, result="accepted", reason="") == 3
    assert found("hits_total", **shop, result="duplicate", reason="") == 1
    assert found("deliveries_total", **orders, result="matched") == 2
    assert found("deliveries_total", **orders, result="delivered") == 0
    assert found("queued", **orders) == 2
    assert found("retrying", **orders) == 0
    assert 0 <= found("oldest_queued_seconds", **orders) < 60
    assert found("dead_letters", **orders) == 0
    assert found("paused", **orders, cause="operator") == 1
    assert found("paused", **orders, cause="down") == 0
    assert found("alerts_open", kind="paused") == 0
    assert found("partitions_ahead_days") == 1
    assert 0 <= found("heartbeat_age_seconds", process="worker") < 60
    assert found("database_bytes") > 1_000_000


def test_a_deleted_tokens_counts_go_on_under_another_name(token: Token, send: Send) -> None:
    send(hit())
    token.mark_deleted()
    Token.objects.issue("shop")
    named = f"shop (deleted {token.pk})"
    assert figures()("hits_total", token=named, result="accepted", reason="") == 1
