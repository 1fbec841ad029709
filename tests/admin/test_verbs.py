"""The operator's verbs on the admin's pages, and who may use them."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.ledger import assert_exact, counts
from tests.support.operations import let_die, post, replay, work
from tests.support.vendor import open_vendor, reply
from tracking.models import Attempt, DeadLetter, Hit, Integration, Operation, QueuedDelivery, Token

pytestmark = pytest.mark.usefixtures("no_lag")


def client_of(user: User) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def somebody(*codenames: str) -> Client:
    """Staff with these permissions and no others."""
    user = User.objects.create_user("-".join(codenames) or "nobody", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return client_of(user)


def url(obj: Integration | Operation | Token, verb: str) -> str:
    return f"/admin/hitstream/{obj._meta.model_name}/{obj.pk}/{verb}/"


def test_a_replay_is_previewed_asked_for_and_followed(
    operator: Client, send: Send, integration: Integration
) -> None:
    let_die(send, integration, "A", "B")
    page = operator.get(url(integration, "replay"), {"event": "B"})
    assert (page.context["preview"].count, len(page.context["preview"].sample)) == (1, 1)
    content = page.content.decode()
    assert "very-secret-key" not in content
    assert '<input type="hidden" name="event" value="B">' in content
    assert DeadLetter.objects.count() == 2, "a preview changes nothing"
    answer = operator.post(url(integration, "replay"), {"event": "B", "rate": "50"})
    operation = Operation.objects.get()
    assert answer.headers["Location"] == url(operation, "change")
    assert (operation.requested_by, operation.rate, operation.total) == ("operator", 50, 1)
    running = operator.get(url(operation, "change")).content.decode()
    assert 'http-equiv="refresh"' in running
    assert "event B" in running
    work()
    finished = operator.get(url(operation, "change")).content.decode()
    assert "refresh" not in finished
    assert '<progress max="1" value="1"' in finished
    assert (QueuedDelivery.objects.count(), DeadLetter.objects.count()) == (1, 1)
    assert_exact(integration)


def test_a_backfill_is_previewed_and_asked_for(operator: Client, send: Send, token: Token) -> None:
    post(send, "A", "B", "C")
    integration = add_webhook(token)
    nothing = {"until": "2020-01-01T00:00:00"}
    assert operator.get(url(integration, "backfill"), nothing).context["preview"].count == 0
    assert operator.get(url(integration, "backfill")).context["preview"].count == 3
    operator.post(url(integration, "backfill"), {"event": "A"})
    work()
    assert QueuedDelivery.objects.count() == 1
    assert_exact(integration)


@pytest.mark.parametrize(
    "wrong", [{"since": "yesterday"}, {"code": "made-up"}, {"rate": "0"}, {"rate": "-5"}]
)
def test_what_makes_no_sense_is_asked_again(
    operator: Client, send: Send, integration: Integration, wrong: dict[str, str]
) -> None:
    let_die(send, integration, "A")
    page = operator.post(url(integration, "replay"), wrong)
    assert page.status_code == 200
    assert "errorlist" in page.content.decode()
    assert not Operation.objects.exists()


def test_an_operation_is_stopped_and_goes_on(
    operator: Client, send: Send, integration: Integration
) -> None:
    let_die(send, integration, "A", "B")
    operation = replay(integration, rate=1)
    operation.step()
    operator.post(url(operation, "stop"))
    page = operator.get(url(operation, "change")).content.decode()
    assert "Stopped by operator." in page
    assert "Resume" in page
    assert (work(), QueuedDelivery.objects.count()) == ([], 1)
    operator.post(url(operation, "go-on"))
    assert work()[-1] == 2
    assert_exact(integration)


def test_pausing_resuming_and_draining_say_what_they_hold_back_and_send(
    operator: Client, send: Send, integration: Integration
) -> None:
    post(send, "A", "B")
    for verb in ("pause", "resume", "drain"):
        assert operator.get(url(integration, verb)).context["preview"].count == 2
    operator.post(url(integration, "pause"), {"reason": "their migration"})
    assert "paused by operator" in operator.get("/admin/hitstream/integration/").content.decode()
    operator.post(url(integration, "resume"), {"rate_limit": "7"})
    integration.refresh_from_db()
    assert (integration.paused_at, integration.rate_limit) == (None, 7)
    operator.post(url(integration, "drain"))
    assert "draining" in operator.get(url(integration, "change")).content.decode()
    post(send, "C")
    assert QueuedDelivery.objects.count() == 2


def test_a_deleted_integration_is_named_by_the_record_and_in_no_list(
    operator: Client, send: Send, integration: Integration
) -> None:
    let_die(send, integration, "dead")
    post(send, "A", "B")
    assert operator.get(url(integration, "delete")).context["preview"].count == 2
    answer = operator.post(url(integration, "delete"), {"typed_name": "Orders"}, follow=True)
    assert "Orders (deleted)" in answer.content.decode()
    work()
    assert counts(integration) == {"matched": 3, "dead": 1, "cancelled": 2}
    assert_exact(integration)
    assert operator.get(url(integration, "change")).status_code == 302
    listing = operator.get("/admin/hitstream/integration/")
    assert list(listing.context["cl"].result_list) == []
    stored = Hit.objects.get(name="A")
    page = operator.get(f"/admin/hitstream/hit/{stored.pk}/change/").content.decode()
    assert "Orders (deleted)" in page
    assert "was deleted by operator" in page
    filters = operator.get("/admin/hitstream/delivery/").content.decode()
    assert f"integration__id__exact={integration.pk}" not in filters


def test_a_deleted_token_takes_its_integrations_with_it(
    operator: Client, send: Send, token: Token, integration: Integration
) -> None:
    post(send, "A")
    assert operator.get(url(token, "delete")).context["preview"].count == 1
    assert (
        "That is not the name"
        in operator.post(url(token, "delete"), {"typed_name": "Shop"}).content.decode()
    )
    assert Token.objects.get().deleted_at is None
    operator.post(url(token, "delete"), {"typed_name": "shop"})
    work()
    assert (QueuedDelivery.objects.count(), Hit.objects.count()) == (0, 1)
    assert_exact(integration)
    assert list(operator.get("/admin/hitstream/token/").context["cl"].result_list) == []
    stored = Hit.objects.get()
    assert (
        "shop (deleted)"
        in operator.get(f"/admin/hitstream/hit/{stored.pk}/change/").content.decode()
    )
    asked = {"name": "shop", "enabled": "on", "ip_policy": "keep"}
    answer = operator.post("/admin/hitstream/token/add/", asked)
    assert "API token issued" in answer.content.decode(), "the name is free again"


@pytest.mark.parametrize("model", ["token", "integration"])
def test_a_name_that_is_taken_is_refused_kindly(
    operator: Client, token: Token, integration: Integration, model: str
) -> None:
    add_url = f"/admin/hitstream/{model}/add/?destination=webhook"
    form = {"name": "shop" if model == "token" else "Orders", "token": token.pk, "enabled": "on"}
    form["ip_policy"] = "keep"
    more = {"concurrency": "1", "max_attempts": "1", "max_age": "1", "retry_base": "1"}
    page = operator.post(add_url, {**form, **more, "config-url": "http://127.0.0.1:9/"})
    assert page.status_code == 200
    assert "already" in page.content.decode()


VERBS = ["pause", "resume", "drain", "replay", "backfill", "delete"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_viewer_may_do_nothing(send: Send, integration: Integration, verb: str) -> None:
    let_die(send, integration, "A")
    viewer = somebody("view_integration", "view_deadletter", "view_operation", "view_token")
    assert viewer.get(url(integration, "change")).status_code == 200
    assert viewer.get(url(integration, verb)).status_code == 403
    assert viewer.post(url(integration, verb), {"reason": "no"}).status_code == 403
    assert not Operation.objects.exists()
    operation = replay(integration)
    for button in ("stop", "go-on"):
        assert viewer.post(url(operation, button)).status_code == 403
    assert "Stop" not in viewer.get(url(operation, "change")).content.decode()
    assert viewer.post(url(integration.token, "delete")).status_code == 403
    integration.refresh_from_db()
    assert (integration.paused_at, integration.draining, integration.enabled) == (None, False, True)


@pytest.mark.parametrize(
    ("codename", "allowed"),
    [
        ("change_integration", {"pause", "resume", "drain", "backfill"}),
        ("change_deadletter", {"replay"}),
        ("delete_integration", {"delete"}),
    ],
)
def test_each_verb_has_its_permission(
    integration: Integration, codename: str, allowed: set[str]
) -> None:
    client = somebody("view_integration", codename)
    assert {verb for verb in VERBS if client.get(url(integration, verb)).status_code == 200} == (
        allowed
    )


def test_a_deletion_is_stopped_by_who_may_delete(
    integration: Integration, operator: Client
) -> None:
    operator.post(url(integration, "delete"), {"typed_name": "Orders"})
    operation = Operation.objects.get()
    assert somebody("change_integration").post(url(operation, "stop")).status_code == 403
    assert somebody("delete_integration").post(url(operation, "stop")).status_code == 302


def test_who_asks_for_an_operation_may_see_it(send: Send, integration: Integration) -> None:
    let_die(send, integration, "A")
    client = somebody("view_integration", "change_deadletter")
    assert client.post(url(integration, "replay"), follow=True).status_code == 200


def test_a_configuration_can_be_tried_out(operator: Client, token: Token) -> None:
    with open_vendor(reply(200)) as vendor:
        working = add_webhook(token, vendor.url)
        page = operator.get(url(working, "verify"))
        assert page.status_code == 200
        assert vendor.received == []
        said = operator.post(url(working, "verify")).content.decode()
        assert "It answered 200 to a signed ping." in said
        assert vendor.received[0].json["type"] == "ping"
        vendor.answer = reply(401, b"who are you?")
        said = operator.post(url(working, "verify")).content.decode()
        assert "does not work" in said
        assert "HTTP 401" in said
        assert "who are you?" in said
        vendor.answer = reply(401, b"")
        assert "HTTP 401" in operator.post(url(working, "verify")).content.decode()
    assert not Attempt.objects.exists()


def test_what_works_and_is_still_paused_can_be_resumed(operator: Client, token: Token) -> None:
    with open_vendor(reply(200)) as vendor:
        integration = add_webhook(token, vendor.url)
        assert "Resume it now" not in operator.post(url(integration, "verify")).content.decode()
        integration.pause(reason="A new key", by="olaf")
        said = operator.post(url(integration, "verify"), {"next": "/console/"}).content.decode()
    assert "paused by olaf." in said
    assert f"{url(integration, 'resume')}?next=%2Fconsole%2F" in said


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/console/", "/console/"),
        ("nowhere", "nowhere"),
        ("https://evil.example/", "{own}"),
        ("//evil.example/", "{own}"),
        ("javascript:alert(1)", "{own}"),
        ("admin:logout", "{own}"),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_verb_goes_on_at_a_page_of_this_site_alone(
    integration: Integration, asked: str, led: str
) -> None:
    own = f"/admin/hitstream/integration/{integration.pk}/change/"
    client = somebody("change_integration", "view_integration")
    url = f"/admin/hitstream/integration/{integration.pk}/pause/"
    answer = client.post(url, {"reason": "Moving", "next": asked})
    assert answer["Location"] == led.format(own=own)


@pytest.mark.parametrize(
    ("verb", "why"),
    [
        ("retry-now", "No delivery that matches waits for a retry."),
        ("replay", "No dead letter matches"),
        ("backfill", "No past hit is left to queue"),
    ],
)
def test_a_verb_without_anything_to_do_says_why_and_cannot_be_pressed(
    operator: Client, integration: Integration, verb: str, why: str
) -> None:
    content = operator.get(url(integration, verb)).content.decode()
    assert why in content
    assert '<input type="submit" disabled' in content


def test_a_retry_of_a_paused_integration_leads_to_its_resumption(
    operator: Client, send: Send, integration: Integration
) -> None:
    post(send, "A", "B")
    operator.post(url(integration, "pause"), {"reason": "their migration"})
    content = operator.get(url(integration, "retry-now"), {"next": "/console/"}).content.decode()
    assert "is paused: resuming it sends the 2 deliveries that wait." in content
    assert f'href="{url(integration, "resume")}?next=%2Fconsole%2F">Resume</a>' in content
    assert 'type="submit" class' not in content.partition('<form method="post">')[2]
