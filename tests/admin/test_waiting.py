"""No page holds a connection to the database while it waits for a vendor; few threads wait."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from tests.support.integrations import add_webhook
from tests.support.vendor import Received, Vendor, reply
from tracking.admin import connection_test, mapping_preview
from tracking.alerts.channels.registry import CHANNELS
from tracking.models import AlertChannel, Token


@pytest.fixture
def held(vendor: Vendor) -> list[bool]:
    """Whether this thread held a connection at each request to the vendor."""
    found: list[bool] = []
    ours = connections["default"]

    def judge(request: Received, connection: socket.socket) -> None:
        found.append(ours.connection is not None)
        reply()(connection)

    vendor.judge = judge
    return found


def test_a_connection_test_holds_no_connection_to_the_database(
    operator: Client, token: Token, vendor: Vendor, held: list[bool]
) -> None:
    integration = add_webhook(token, vendor.url)
    answer = operator.post(f"/admin/hitstream/integration/{integration.pk}/verify/")
    assert answer.status_code == 200
    assert held == [False]


def test_a_test_message_holds_no_connection_to_the_database(
    operator: Client, vendor: Vendor, held: list[bool]
) -> None:
    form = CHANNELS["webhook"].Config({"url": vendor.url})
    assert form.is_valid()
    channel = AlertChannel(name="ops", kind="webhook")
    channel.configure(form)
    channel.save()
    answer = operator.post(f"/admin/hitstream/alertchannel/{channel.pk}/test/")
    assert answer.context["verdict"].works
    assert held == [False]


def test_only_a_few_previews_wait_at_once(
    operator: Client, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "/admin/hitstream/integration/mapping/"
    assert operator.post(url, {"token": token.pk}).status_code == 200
    none_left: Any = threading.BoundedSemaphore(1)
    none_left.acquire()
    monkeypatch.setattr(mapping_preview, "_previews", none_left)
    answer = operator.post(url, {"token": token.pk})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_only_a_few_tests_wait_at_once(
    operator: Client, token: Token, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = add_webhook(token, vendor.url)
    url = f"/admin/hitstream/integration/{integration.pk}/verify/"
    none_left: Any = threading.BoundedSemaphore(1)
    none_left.acquire()
    monkeypatch.setattr(connection_test, "_calls", none_left)
    verdict = operator.post(url).context["verdict"]
    assert not verdict.works
    assert "try it again" in verdict.message
    assert vendor.received == []
