"""Stored secrets do not follow an operator's change of the address."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.support.integrations import add_webhook
from tests.support.people import operator
from tests.support.vendor import open_vendor, reply
from tracking.alerts.channels.registry import CHANNELS
from tracking.exceptions import SetupError
from tracking.models import AlertChannel, Integration, Token


@pytest.mark.django_db(transaction=True)
def test_an_operator_cannot_send_stored_headers_elsewhere(token: Token) -> None:
    client = Client()
    client.force_login(operator())
    with open_vendor(reply()) as theirs, open_vendor(reply()) as evil:
        integration = add_webhook(token, theirs.url, config={"headers": "X-Key: very-secret"})
        page = f"/admin/hitstream/integration/{integration.pk}/"
        form = client.get(f"{page}change/").context["adminform"].form
        data = {name: form.get_initial_for_field(f, name) for name, f in form.fields.items()}
        data = {name: "" if value is None else value for name, value in data.items()}
        answer = client.post(f"{page}change/", {**data, "config-url": evil.url})
        assert b"The address has changed" in answer.content
        integration.refresh_from_db()
        assert integration.config["url"] == theirs.url
        client.post(f"{page}verify/")
        assert evil.received == []
        client.post(f"{page}change/", {**data, "config-url": f"{theirs.url}/other"})
        assert Integration.objects.get().config["url"] == f"{theirs.url}/other"


@pytest.mark.django_db
def test_an_alert_channel_keeps_its_secrets_too() -> None:
    config = CHANNELS["webhook"].Config
    form = config({"url": "https://a.example/", "headers": "X-Key: k"})
    assert form.is_valid()
    channel = AlertChannel(name="ops", kind="webhook")
    channel.configure(form)
    moved = config({"url": "https://b.example/"}, stored=("headers", "signing_secret"))
    assert moved.is_valid()
    with pytest.raises(SetupError):
        channel.configure(moved)
    assert channel.config["url"] == "https://a.example/"
