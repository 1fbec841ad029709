"""Django's history of an object names what has changed, and nothing else."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from tests.support.integrations import add_webhook
from tests.support.people import operator
from tracking.models import Integration, Token

pytestmark = pytest.mark.django_db(transaction=True)


def save(path: str, **changes: object) -> str:
    """Open the form, change these fields as a browser would, and return what the history says."""
    client = Client()
    client.force_login(operator())
    form = client.get(path).context["adminform"].form
    data = {}
    for bound in form:
        value = changes.get(bound.html_name, bound.value())
        if value is None or value is False:
            continue
        text = "on" if value is True else str(bound.field.prepare_value(value))
        data[bound.html_name] = text.replace("\n", "\r\n")
        if bound.field.show_hidden_initial:
            data[bound.html_initial_name] = str(bound.value())
    if "/token/" in path:
        data |= {"integrations-TOTAL_FORMS": "0", "integrations-INITIAL_FORMS": "0"}
    answer = client.post(path, data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    return str(LogEntry.objects.latest("pk").get_change_message())


def test_the_history_of_a_token(token: Token) -> None:
    Token.objects.filter(pk=token.pk).update(
        origins=["https://a.example", "https://b.example"], audience=[], breakdowns=["plan"]
    )
    path = f"/admin/hitstream/token/{token.pk}/change/"
    assert save(path, breakdowns="plan\nsource") == "Changed Breakdowns."


def test_nothing_changed_is_said_as_that(token: Token) -> None:
    integration = add_webhook(token, "https://hooks.example", event_names=["Ordered", "Registered"])
    Integration.objects.filter(pk=integration.pk).update(
        mapping={
            "drop": ["ip", "context.locale"],
            "set": [["properties.a", "properties.b"], ["properties.c", "'d'"]],
            "condition": "type == 'track' &&\nhas(properties.a)",
            "percent": 50.0,
        }
    )
    path = f"/admin/hitstream/integration/{integration.pk}/change/"
    assert save(path) == "No fields changed."


def test_the_history_of_an_integration(token: Token) -> None:
    integration = add_webhook(token, "https://hooks.example", event_names=["Ordered", "Registered"])
    path = f"/admin/hitstream/integration/{integration.pk}/change/"
    assert save(path, **{"mapping-drop": "ip\ncontext.locale"}) == "Changed Drop fields."
