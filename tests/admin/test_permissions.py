"""Every button and every page of ours asks the permissions of what it touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.operations import let_die, replay
from tests.support.vendor import Vendor
from tracking.admin.object_page import PagesAdmin
from tracking.alerts.channels.registry import CHANNELS
from tracking.console import urls
from tracking.models import Alert, AlertChannel, AlertRule, DeadLetter, Hit, Integration, Token
from tracking.models.alerts.channel import ChannelKind

pytestmark = pytest.mark.django_db(transaction=True)

#: The pages of each admin, with the permissions that each takes.
PAGES = {
    "integration/done": {"view_integration"},
    "integration/pause": {"change_integration"},
    "integration/resume": {"change_integration"},
    "integration/drain": {"change_integration"},
    "integration/retry-now": {"change_integration"},
    "integration/replay": {"view_integration", "change_deadletter"},
    "integration/backfill": {"change_integration"},
    "integration/ledger": {"view_integration"},
    "integration/verify": {"change_integration"},
    "integration/mapping": {"change_integration", "view_hit"},
    "integration/delete": {"delete_integration"},
    "token/rotate": {"change_token"},
    "token/revoke": {"change_token"},
    "token/ledger": {"view_token"},
    "token/delete": {"delete_token", "delete_integration"},
    "alertchannel/test": {"change_alertchannel"},
    "alertchannel/delete": {"delete_alertchannel"},
    "operation/stop": {"change_deadletter"},
    "operation/go-on": {"change_deadletter"},
}
#: The actions of lists, on selected rows.
ACTIONS = {
    "integration/resume_selected": {"change_integration"},
    "deadletter/replay": {"change_deadletter"},
}
#: The pages of the console that change something.
CONSOLE = {
    "setup-demo": {"view_token", "add_token"},
    "setup-hide": {"view_token", "view_integration"},
    "test-event": {"view_integration", "change_integration"},
    "replay": {"view_hit", "change_deadletter"},
    "try-now": {"view_hit", "change_integration"},
    "event-breakdown": {"view_hit", "change_token"},
    "alert-silence": {"change_alert"},
    "alert-end-silence": {"change_alert"},
}


@dataclass(frozen=True)
class World:
    """One row of everything that can be touched."""

    integration: Integration
    channel: AlertChannel
    alert: Alert
    hit: Hit
    keys: dict[str, int]

    def state(self) -> Any:
        """What a forbidden request must not change."""
        models = (Token, Integration, AlertChannel, AlertRule, Alert, DeadLetter, Hit)
        return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.fixture
def world(send: Send, token: Token, vendor: Vendor) -> World:
    integration = add_webhook(token, name="Hook")
    let_die(send, integration, "dead")
    operation = replay(integration)
    let_die(send, integration, "dead-again")
    form = CHANNELS["webhook"].Config({"url": vendor.url})
    assert form.is_valid()
    channel = AlertChannel(name="ops", kind=ChannelKind.WEBHOOK)
    channel.configure(form)
    channel.save()
    rule = AlertRule.objects.create(kind="silent", token=token)
    alert = Alert.objects.create(rule=rule, token=token, subject="t", message="Nothing.")
    keys = {
        "integration": integration.pk,
        "token": token.pk,
        "alertchannel": channel.pk,
        "operation": operation.pk,
        "deadletter": DeadLetter.objects.latest("pk").pk,
    }
    return World(integration, channel, alert, Hit.objects.latest("pk"), keys)


def client_with(permissions: set[str]) -> Client:
    """A client of staff with exactly these permissions."""
    user = User.objects.create_user(f"u{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def every_permission() -> set[str]:
    found = Permission.objects.filter(content_type__app_label="hitstream")
    return set(found.values_list("codename", flat=True))


def url_of_page(world: World, page: str) -> str:
    model, name = page.split("/")
    if name == "mapping":
        return f"/admin/hitstream/{model}/{name}/"
    return f"/admin/hitstream/{model}/{world.keys[model]}/{name}/"


def url_of_console(world: World, name: str) -> str:
    if name == "test-event":
        return f"/console/integrations/{world.integration.pk}/test-event/"
    if name == "event-breakdown":
        return "/console/events/breakdown/"
    if name.startswith("setup-"):
        return f"/console/setup/{name.removeprefix('setup-')}/"
    if name.startswith("alert-"):
        return f"/console/alerts/{world.alert.pk}/{name.removeprefix('alert-')}/"
    return f"/console/hits/{world.hit.pk}/{world.integration.pk}/{name}/"


def test_the_tables_name_every_page_and_action() -> None:
    pages, actions = set(), set()
    for model, site in admin.site._registry.items():
        if model._meta.app_label != "hitstream":
            continue
        name = model._meta.model_name
        if isinstance(site, PagesAdmin):
            pages |= {f"{name}/{page}" for page in site.pages}
        actions |= {f"{name}/{action}" for action in site.actions or ()}
    assert pages == {page for page in PAGES if not page.endswith("/delete")}
    assert actions == set(ACTIONS)
    assert {each.name for each in urls.urlpatterns if is_post_only(each.callback)} == set(CONSOLE)


def is_post_only(view: Any) -> bool:
    cells = dict(zip(view.__code__.co_freevars, view.__closure__ or (), strict=False))
    return bool(cells["methods"].cell_contents == ("POST",)) if "methods" in cells else False


def test_a_page_of_the_admin_takes_each_of_its_permissions(world: World) -> None:
    before = world.state()
    for page, permissions in PAGES.items():
        url = url_of_page(world, page)
        for missing in permissions:
            client = client_with(every_permission() - {missing} - weaker(missing))
            for answer in (client.get(url), client.post(url, {"post": "yes", "token": "1"})):
                assert answer.status_code in {302, 403, 405}, (page, missing, answer.status_code)
        answer = client_with(permissions | views(permissions)).get(url)
        assert answer.status_code in {200, 405} or page.startswith("operation/"), page
    assert world.state() == before


def weaker(permission: str) -> set[str]:
    """Return what includes the permission: who may change may also view."""
    verb, _, model = permission.partition("_")
    return {f"change_{model}"} if verb == "view" else set()


def views(permissions: set[str]) -> set[str]:
    return {f"view_{each.partition('_')[2]}" for each in permissions}


def test_an_action_of_a_list_takes_its_permissions(world: World) -> None:
    before = world.state()
    for action, permissions in ACTIONS.items():
        model, name = action.split("/")
        for missing in permissions:
            client = client_with(every_permission() - {missing})
            data = {"action": name, "_selected_action": [world.keys[model]]}
            client.post(f"/admin/hitstream/{model}/", data)
    assert world.state() == before


def test_a_button_of_the_console_takes_each_of_its_permissions(world: World) -> None:
    before = world.state()
    for name, permissions in CONSOLE.items():
        url = url_of_console(world, name)
        for missing in permissions:
            assert client_with(every_permission() - {missing}).post(url).status_code == 403
        assert client_with(every_permission()).get(url).status_code == 405
    assert world.state() == before


def test_nothing_of_a_token_that_is_not_seen_is_touched(world: World, vendor: Vendor) -> None:
    Token.objects.update(audience=["Shop"])
    before = world.state()
    client = client_with(every_permission())
    # The demo is a token of its own.
    for page in (*PAGES, *(CONSOLE.keys() - {"setup-demo"})):
        url = url_of_page(world, page) if page in PAGES else url_of_console(world, page)
        answer = client.post(url, {"post": "yes", "reason": "x", "token": world.keys["token"]})
        assert answer.status_code in {302, 403, 404}, page
    assert world.state() == before
    assert vendor.received == []


def test_a_preview_shows_no_hit_to_who_may_not_view_hits(world: World) -> None:
    for page in ("pause", "replay", "delete"):
        url = url_of_page(world, f"integration/{page}")
        allowed = client_with(every_permission()).get(url)
        hidden = client_with(every_permission() - {"view_hit"}).get(url)
        assert hidden.status_code == 200
        assert hidden.context["preview"].sample == ()
        assert hidden.context["preview"].count == allowed.context["preview"].count


def test_the_tests_of_channels_stay_with_who_may_change_them(world: World, vendor: Vendor) -> None:
    url = url_of_page(world, "alertchannel/test")
    client_with(every_permission() - {"change_alertchannel"}).post(url)
    assert vendor.received == []
    client_with(every_permission()).post(url)
    assert len(vendor.received) == 1
