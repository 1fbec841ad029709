"""A pytest plugin: the fixtures that tests of several folders share."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.integrations import add_webhook
from tests.support.vendor import Vendor, open_vendor, reply
from tracking.models import AlertRule, Integration, Token


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """A vendor that takes everything."""
    with open_vendor(reply()) as vendor:
        yield vendor


@pytest.fixture
def integration(token: Token) -> Integration:
    """A webhook of the token's, at an address where nothing listens."""
    return add_webhook(token, name="Orders", config={"headers": "X-Key: very-secret-key"})


@pytest.fixture
def no_lag(settings: Any) -> None:
    """Nothing is being stored meanwhile: what is committed is all there is."""
    settings.HITSTREAM = {**settings.HITSTREAM, "COMMIT_LAG": 0.0}


@pytest.fixture
def no_rules(transactional_db: None) -> None:
    """None of the rules of the migration: the test makes those that it is about."""
    AlertRule.objects.all().delete()
