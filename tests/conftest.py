"""What most tests need: a token, a client that sends with it, and no memory between tests."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests.support import reset
from tests.support.hits import Answer, Send, basic
from tracking import process
from tracking.current_request import environ_of_request
from tracking.delivery import retry
from tracking.health.broker import broker
from tracking.health.database import postgres
from tracking.health.overview import stored
from tracking.health.replica import lag
from tracking.ingest.auth.authentication import tokens
from tracking.ingest.write import readiness
from tracking.ingest.write.store import writer
from tracking.metrics.exposition import exposition
from tracking.models import Token
from tracking.models.tokens.api_token import ApiToken

pytest_plugins = [
    "tests.support.collection",
    "tests.support.order",
    "tests.support.markers",
    "tests.support.browser",
    "tests.support.fixtures",
]


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """One test's tokens, integrations, refusals and repetitions are not those of the next."""
    environ_of_request.set(None)
    process.forget()
    yield
    process.forget()


@pytest.fixture(scope="session", autouse=True)
def _patient() -> None:
    """A busy machine is no silent server: what is tested as silent has a probe of its own."""
    for probe in (broker, exposition, lag, postgres, readiness.readiness, stored):
        probe.patience = 15.0


@pytest.fixture(scope="session", autouse=True)
def _no_short_backoff() -> Iterator[None]:
    """What failed is not due again at once, by chance, in the same run of the engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retry, "uniform", lambda _, longest: random.uniform(longest / 2, longest))
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Each process has a Postgres of its own: the database needs no suffix."""


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The database came migrated, with the cluster."""
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The threads' own connections are closed before the servers stop."""
    reset.install()
    with django_db_blocker.unblock():
        reset.remember()
    yield
    readiness.forget()
    writer.drain()
    tokens.drain()


@pytest.fixture
def issued(transactional_db: None) -> tuple[Token, ApiToken]:
    return Token.objects.issue("shop")


@pytest.fixture
def token(issued: tuple[Token, ApiToken]) -> Token:
    return issued[0]


@pytest.fixture
def secret(issued: tuple[Token, ApiToken]) -> ApiToken:
    return issued[1]


@pytest.fixture
def send(secret: ApiToken) -> Send:
    """POSTs a hit, or raw bytes, to /track with the token; keywords are headers or the path."""
    client = Client(SERVER_NAME="localhost")

    def post(hit: Any, *, path: str = "/track", **headers: str) -> Answer:
        body = hit if isinstance(hit, bytes) else json.dumps(hit).encode()
        headers = {"authorization": basic(secret), "content_type": "application/json", **headers}
        content_type = headers.pop("content_type")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.generic("POST", path, body, headers=named, CONTENT_TYPE=content_type)

    return post
