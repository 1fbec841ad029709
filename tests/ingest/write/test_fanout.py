"""However many integrations a token has, what the limits allow is stored in time."""

from typing import Any

import pytest
from django.db import connection

from tests.ingest.write.test_loop_writer import Driver
from tests.ingest.write.test_store import arrivals
from tests.support.hits import basic
from tests.support.integrations import add_webhook
from tests.support.posting import post
from tests.support.sizes import of_faults
from tracking.ingest.write import fanout
from tracking.models import Hit, Integration, QueuedDelivery, Token
from tracking.models.tokens.api_token import ApiToken


def add_integrations(token: Token, count: int) -> None:
    """As many webhooks as that, without the revisions that an operator's saving would make."""
    first = add_webhook(token, name="0")
    copies = [
        Integration(token=token, name=str(n), destination="webhook", config=first.config)
        for n in range(1, count)
    ]
    Integration.objects.bulk_create(copies)


def statements() -> int:
    """In how many statements, each a transaction, the hits were stored."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM hitstream_hit")
        (count,) = cursor.fetchone()
    return int(count)


def batch(count: int, prefix: str = "m") -> dict[str, Any]:
    named = {"type": "track", "event": "E", "userId": "u"}
    return {"batch": [{**named, "messageId": f"{prefix}{number}"} for number in range(count)]}


@pytest.fixture
def narrow(settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "MAX_STATEMENT_DELIVERIES": 20}


@pytest.mark.usefixtures("narrow")
def test_a_batch_is_stored_in_as_many_statements_as_its_deliveries_need(
    token: Token, secret: ApiToken
) -> None:
    add_integrations(token, 5)
    answer = post("/v1/batch", batch(22), authorization=basic(secret))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert (Hit.objects.count(), QueuedDelivery.objects.count()) == (22, 110)
    assert 6 <= statements() <= 22


@pytest.mark.usefixtures("narrow")
def test_the_event_loop_stores_no_more_at_once(token: Token) -> None:
    driver = Driver()
    try:
        driver.store(arrivals(token, ["first"]))
        driver.run_until(lambda: driver.lane._connection is not None)
        add_integrations(token, 5)
        fanout.note(token.pk, 5)
        driver.store(arrivals(token, [str(number) for number in range(22)]))
    finally:
        driver.close()
    assert (Hit.objects.count(), QueuedDelivery.objects.count()) == (23, 110)
    assert statements() == 1 + 6


@pytest.mark.usefixtures("narrow")
def test_only_tokens_with_many_integrations_are_weighed(token: Token) -> None:
    many = arrivals(token, [str(number) for number in range(10)])
    assert fanout.fitting(many) == 500
    fanout.note(token.pk, 7)
    assert (fanout.fitting(many), fanout.hits_at_once(token.pk)) == (2, 2)
    fanout.note(token.pk, 100)
    assert (fanout.fitting(many), fanout.hits_at_once(token.pk)) == (1, 1)
    fanout.note(token.pk, 0)
    assert (fanout.fitting(many), fanout.hits_at_once(token.pk)) == (500, 20)


@pytest.mark.faults
@pytest.mark.parametrize(("hits", "integrations"), [(2500, 100), (500, 1000)])
def test_the_largest_batches_fit(
    token: Token, secret: ApiToken, settings: Any, hits: int, integrations: int
) -> None:
    """With the deadlines of production, and a hit of somebody else between two parts."""
    settings.HITSTREAM = {**settings.HITSTREAM, "REQUEST_DEADLINE": 1.5, "LOOK_UP_DEADLINE": 0.4}
    add_integrations(token, integrations)
    answer = post("/v1/batch", batch(of_faults(hits)), authorization=basic(secret))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert Hit.objects.count() == of_faults(hits)
    assert QueuedDelivery.objects.count() == of_faults(hits) * integrations
