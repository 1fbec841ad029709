"""A viewer looks at everything, changes nothing, and is shown no secret."""

import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, reverse

from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.operations import let_die, replay
from tests.support.people import viewer
from tracking.console.urls import urlpatterns
from tracking.models import Hit, Token
from tracking.models.tokens.api_token import ApiToken

pytestmark = pytest.mark.django_db(transaction=True)
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#: What looking at pages changes.
ASIDE = {"Pulse", "Wakeup", "Tally", "Ledger", "Total"}


@pytest.fixture
def client(send: Send, token: Token) -> Client:
    webhook = add_webhook(token, name="Orders", config={"secret": SIGNING})
    let_die(send, webhook, "a", "b")
    replay(webhook)
    webhook.pause(reason="Moving", by="anna")
    client = Client()
    client.force_login(viewer())
    return client


def addresses() -> Iterator[tuple[URLPattern, str]]:
    """Every address of the console, of something that there is."""
    for pattern in urlpatterns:
        known = {"pk": 0, "hit_id": Hit.objects.latest("pk").pk}
        kwargs = {name: known.get(name, 0) for name in pattern.pattern.converters}
        for name in kwargs:
            if name == "pk":
                kwargs[name] = OWNERS[str(pattern.pattern).split("/")[0]]()
        yield pattern, reverse(f"hitstream-console:{pattern.name}", kwargs=kwargs)


def first(model: str) -> int:
    found = apps.get_model("hitstream", model).objects.order_by("pk").first()
    return found.pk if found else 0


OWNERS = {
    "integrations": lambda: first("Integration"),
    "deadletters": lambda: first("DeadLetter"),
    "hits": lambda: first("Integration"),
    "deliveries": lambda: first("Integration"),
    "alerts": lambda: first("Alert"),
}


def rows() -> dict[str, list[object]]:
    """Everything of ours that is stored, but for what looking at it counts."""
    models = apps.get_app_config("hitstream").get_models()
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in models
        if model.__name__ not in ASIDE
    }


def test_no_request_of_a_viewer_changes_anything(client: Client) -> None:
    before = rows()
    for pattern, url in addresses():
        answer = client.post(url, {"reason": "mischief", "until": "2030-01-01T00:00"})
        # Whether the checklist is hidden, and the time zone, are kept in cookies.
        is_kept = pattern.name in {"setup-hide", "time-zone"}
        allowed = {302} if is_kept else {401, 403, 404, 405}
        assert answer.status_code in allowed, pattern.name
        assert client.get(url).status_code in {200, 302, 401, 403, 404, 405}, pattern.name
    for verb in ("pause", "resume", "drain", "verify", "replay", "backfill", "delete"):
        url = f"/admin/hitstream/integration/{first('Integration')}/{verb}/"
        assert client.post(url, {"reason": "mischief"}).status_code == 403
    for verb in ("rotate", "revoke", "delete"):
        assert client.post(f"/admin/hitstream/token/{first('Token')}/{verb}/").status_code == 403
    assert client.post("/admin/hitstream/token/add/", {"name": "mine"}).status_code == 403
    assert rows() == before


def test_no_page_of_a_viewer_shows_a_secret(client: Client, secret: ApiToken) -> None:
    lists = ("token", "integration", "hit", "delivery", "deadletter", "attempt", "revision")
    urls = [url for _, url in addresses()]
    urls += [f"/admin/hitstream/{name}/" for name in lists]
    urls += [f"/admin/hitstream/{name}/{first(name)}/change/" for name in ("token", "integration")]
    shown = 0
    for url in urls:
        answer = client.get(url, follow=True)
        text = answer.content.decode()
        shown += answer.status_code == 200
        assert str(secret) not in text, url
        assert SIGNING.removeprefix("whsec_") not in text, url
        assert not re.search(r"v1,[\w+/]{43}=", text) or "webhook-signature" in text
    assert shown > 12
