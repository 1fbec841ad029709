"""What the tests of a project that Hitstream is installed in can rely on."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction
from django.test import Client, TestCase
from django.utils import timezone

from tests.support.hits import Answer, basic, hit
from tests.support.integrations import add_webhook
from tests.support.vendor import Vendor
from tracking import tasks
from tracking.ingest.write.connection import connect
from tracking.models import Attempt, Delivery, Hit, Token
from tracking.models.hits.partitions import PARTITIONED, Partition
from tracking.models.tokens.api_token import ApiToken
from tracking.testing import on_this_connection


def post(secret: ApiToken, body: Any) -> Answer:
    return Client().post(
        "/track",
        json.dumps(body),
        content_type="application/json",
        headers={"authorization": basic(secret)},
    )


def elsewhere() -> int:
    """How many hits are committed."""
    with connect() as other:
        return int(other.execute("SELECT count(*) FROM hitstream_hit").fetchall()[0][0])


@pytest.fixture
def hits(db: None) -> Iterator[None]:
    with on_this_connection():
        yield


@pytest.fixture
def eager() -> Iterator[None]:
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


@pytest.mark.usefixtures("hits")
def test_a_hit_is_stored_in_the_tests_own_transaction() -> None:
    _, secret = Token.objects.issue("shop")
    assert post(secret, hit(hitId="h1")).status_code == 204
    assert post(secret, hit(hitId="h1")).status_code == 204
    assert Hit.objects.get().hit_id == "h1"
    assert Token.objects.get().last_used_at is not None
    assert elsewhere() == 0


@pytest.mark.usefixtures("hits")
def test_a_hit_is_taken_back_with_the_transaction() -> None:
    _, secret = Token.objects.issue("shop")
    with transaction.atomic():
        post(secret, hit())
        transaction.set_rollback(True)
    assert not Hit.objects.exists()


@pytest.mark.usefixtures("hits")
def test_a_token_is_refused_as_soon_as_it_is_revoked() -> None:
    token, secret = Token.objects.issue("shop")
    assert post(secret, hit()).status_code == 204
    token.revoke()
    assert post(secret, hit()).status_code == 401


@pytest.mark.usefixtures("hits")
def test_a_refused_hit_leaves_the_transaction_usable() -> None:
    _, secret = Token.objects.issue("shop")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE hitstream_hit ALTER COLUMN name TYPE varchar(4)")
    assert post(secret, hit()).json()["code"] == "unstorable"
    assert post(secret, {"event": {"name": "Buy"}, "userId": "u1"}).status_code == 204
    assert Hit.objects.count() == 1


@pytest.mark.usefixtures("hits")
def test_a_kept_database_gets_the_partitions_it_lacks() -> None:
    _, secret = Token.objects.issue("shop")
    with connection.cursor() as cursor:
        for parent in PARTITIONED:
            cursor.execute(f"DROP TABLE {Partition(parent, timezone.now().date()).name}")
    assert post(secret, hit()).status_code == 204
    assert Hit.objects.count() == 1


@pytest.mark.usefixtures("db")
def test_it_may_be_told_when_something_is_owed() -> None:
    token, secret = Token.objects.issue("shop")
    add_webhook(token)
    rung: list[int] = []
    with on_this_connection(wake=lambda: rung.append(Hit.objects.count())):
        post(secret, hit())
        post(secret, hit())
    assert rung == [1, 2]


@pytest.mark.usefixtures("hits", "eager")
def test_an_eager_celery_delivers_within_the_transaction(vendor: Vendor) -> None:
    token, secret = Token.objects.issue("shop")
    add_webhook(token, vendor.url)
    post(secret, hit())
    assert not vendor.received
    tasks.dispatch()
    assert vendor.received[0].json["data"]["hitId"] == Hit.objects.get().hit_id
    assert Delivery.objects.get().state == "delivered"
    assert Attempt.objects.get().status == 200
    assert elsewhere() == 0


@pytest.mark.usefixtures("db", "eager")
def test_every_hit_may_be_delivered_at_once(vendor: Vendor) -> None:
    token, secret = Token.objects.issue("shop")
    add_webhook(token, vendor.url)
    with on_this_connection(wake=tasks.dispatch):
        for number in range(3):
            post(secret, hit())
            assert len(vendor.received) == number + 1


@pytest.mark.django_db
@on_this_connection()
def test_it_is_a_decorator_too() -> None:
    _, secret = Token.objects.issue("shop")
    assert post(secret, hit()).status_code == 204


@pytest.mark.usefixtures("db")
def test_afterwards_hits_are_committed_again() -> None:
    _, secret = Token.objects.issue("shop")
    with on_this_connection():
        assert post(secret, hit()).status_code == 204
    assert post(secret, hit()).status_code == 401, "the token was never committed"


class Signups(TestCase):
    """The form of Django's own tests."""

    token: Token
    secret: ApiToken

    @classmethod
    def setUpTestData(cls) -> None:
        cls.token, cls.secret = Token.objects.issue("shop")

    def setUp(self) -> None:
        self.enterContext(on_this_connection())

    def test_a_signup_is_tracked(self) -> None:
        assert post(self.secret, hit()).status_code == 204
        assert Hit.objects.get().name == "Registered"
