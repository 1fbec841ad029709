"""A viewer sees the whole configuration of an integration, in the words of its form."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.integrations import add_webhook
from tests.support.people import operator, viewer
from tracking.destinations.contract import registry
from tracking.models import Integration, Token

pytestmark = pytest.mark.django_db(transaction=True)


def page_of(integration: Integration, user: User) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(f"/admin/hitstream/integration/{integration.pk}/change/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_viewer_sees_each_value_under_its_label_and_no_secret(token: Token) -> None:
    integration = add_webhook(token, "https://hooks.example/orders", name="Orders")
    Integration.objects.filter(pk=integration.pk).update(
        config={**integration.config, "url": "https://hooks.example/orders"},
        mapping={"drop": ["ip", "context.locale"], "condition": "type == 'track'"},
    )
    text = page_of(integration, viewer())
    secret = Integration.objects.get().secrets.open()["signing_secret"]
    for shown in (
        "https://hooks.example/orders",
        "Signing secret",
        "saved, not shown",
        "ip<br>context.locale",
        "type == &#x27;track&#x27;",
        "Drop fields",
    ):
        assert shown in text, shown
    assert "None" not in text
    assert "Config-" not in text
    assert secret not in text
    assert 'name="config-url"' in page_of(integration, operator())


@pytest.mark.parametrize("slug", [each.slug for each in registry.all_destinations()])
def test_no_destination_shows_a_viewer_names_of_ours(token: Token, slug: str) -> None:
    integration = Integration.objects.create(token=token, name="It", destination=slug)
    text = page_of(integration, viewer())
    assert "None" not in text
    assert "Config-" not in text
    assert "Mapping-" not in text
