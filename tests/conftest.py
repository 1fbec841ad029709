"""What most tests need: a token, a client that sends with it, and no memory between tests."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from tracking import process
from tracking.ingest.auth.authentication import tokens
from tracking.ingest.write.store import writer
from tracking.models import Token
from tracking.models.tokens.api_token import ApiToken

Answer = Any
Send = Callable[..., Answer]


#: Folders whose files take longest: begun first, no process works on alone at the end.
LONG = ("stack", "outbox", "embedded", "wheel")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {folder: place for place, folder in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.parent.name, len(LONG)))
    # Of tests with one name the processes would run one.
    assert len({item.nodeid for item in items}) == len(items)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """One test's tokens, integrations, refusals and repetitions are not those of the next."""
    process.forget()
    yield
    process.forget()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """The threads' own connections are closed before the test database is dropped."""
    yield
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


def basic(username: str, password: str = "") -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


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


def hit(**changes: Any) -> dict[str, Any]:
    """A small valid hit."""
    return {"event": {"name": "Registered", "user": {"userId": "u1"}}, **changes}
