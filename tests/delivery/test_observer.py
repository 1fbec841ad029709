"""An observer that fails harms neither hits nor deliveries."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from tests.support.hits import basic
from tests.support.integrations import add_webhook
from tests.support.log import logged
from tests.support.posting import ask
from tests.support.vendor import Vendor
from tracking import observer
from tracking.delivery.engine import engine
from tracking.models import Delivery, Token
from tracking.models.tokens.api_token import ApiToken


class Broken(observer.Observer):
    is_watching = True

    def __init__(self, *, begins: bool) -> None:
        self._begins = begins

    def stored(self, hits: Sequence[observer.StoredHit]) -> None:
        raise RuntimeError("no")

    def begin(self, hits: Sequence[UUID]) -> object | None:
        if self._begins:
            return "begun"
        raise RuntimeError("no")

    def end(self, begun: object, answered: observer.Answered) -> None:
        raise RuntimeError("no")


@pytest.mark.parametrize("begins", [True, False])
def test_a_broken_observer_harms_nothing(
    secret: ApiToken, token: Token, vendor: Vendor, begins: bool
) -> None:
    add_webhook(token, vendor.url)
    head = {"HTTP_AUTHORIZATION": basic(secret), "CONTENT_TYPE": "application/json"}
    observer.install(Broken(begins=begins))
    try:
        with logged() as log:
            body = b'{"userId": "u", "event": {"name": "Bought"}}'
            assert ask("POST", "/track", head, body).status_code == 204
            engine.run()
    finally:
        observer.install(observer.Observer())
    assert Delivery.objects.get().state == "delivered"
    assert len(vendor.received) == 1
    assert len(log.records("The observer of")) == 2
