"""Pages and what they do to the database, without a browser."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.vendor import open_vendor, reply
from tracking.delivery.engine import engine
from tracking.models import (
    Attempt,
    DeadLetter,
    Delivery,
    Hit,
    Integration,
    Operation,
    QueuedDelivery,
    Revision,
    Token,
)

LISTS = [
    *("token", "integration", "hit", "delivery", "deadletter", "attempt", "revision"),
    *("operation", "fileimport"),
]


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_empty_and_full(
    operator: Client, send: Send, token: Token, name: str
) -> None:
    assert operator.get(f"/admin/hitstream/{name}/").status_code == 200
    with open_vendor(reply(400)) as vendor:
        add_webhook(token, vendor.url)
        send(hit())
        engine.run()
    send(hit())
    assert operator.get(f"/admin/hitstream/{name}/").status_code == 200
    assert operator.get(f"/admin/hitstream/{name}/?q=u1").status_code in {200, 302}


@pytest.mark.parametrize("term", ["h1", "u1", "Registered", "  h1 "])
def test_a_hit_is_found_by_what_it_says(operator: Client, send: Send, term: str) -> None:
    send(hit(hitId="h1"))
    send({"hitId": "h2", "anonymousId": "a2", "event": {}})
    stored = Hit.objects.get(hit_id="h1")
    answer = operator.get("/admin/hitstream/hit/", {"q": term})
    assert [row.pk for row in answer.context["cl"].result_list] == [stored.pk]
    answer = operator.get("/admin/hitstream/hit/", {"q": str(stored.pk)})
    assert [row.pk for row in answer.context["cl"].result_list] == [stored.pk]
    assert not operator.get("/admin/hitstream/hit/", {"q": "h"}).context["cl"].result_list


def test_no_page_counts_a_big_table(operator: Client, send: Send) -> None:
    send(hit())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        operator.get("/admin/hitstream/hit/")
        operator.get("/admin/hitstream/delivery/")
    counts = [each["sql"] for each in queries if "count(" in each["sql"].lower()]
    counts = [sql for sql in counts if "hitstream_alert" not in sql]
    assert counts
    assert all("LIMIT 10000" in sql for sql in counts)


@pytest.mark.parametrize("model", [Hit, Delivery, DeadLetter, Attempt, Revision])
def test_records_can_be_neither_made_nor_deleted(
    operator: Client, send: Send, token: Token, model: type[Model]
) -> None:
    with open_vendor(reply(400)) as vendor:
        add_webhook(token, vendor.url)
        send(hit())
        engine.run()
    records = model._default_manager.all()
    count, record = records.count(), records[0]
    url = f"/admin/hitstream/{model._meta.model_name}/"
    assert operator.post(f"{url}add/").status_code == 403
    assert operator.post(f"{url}{record.pk}/delete/", {"post": "yes"}).status_code == 403
    assert (count, count > 0) == (records.count(), True)


def test_the_deliveries_list_reads_no_more_than_it_shows(
    operator: Client, send: Send, token: Token
) -> None:
    """By its plan: with many deliveries Postgres goes by the indexes."""
    integration = add_webhook(token)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO hitstream_outcome (token_id, hit_id, integration_id, attempt_id, result,"
            " reason, settled_at) SELECT %s, (%s::text || lpad(to_hex(n), 20, '0'))::uuid, %s,"
            " gen_random_uuid(), 'delivered', '', now() FROM generate_series(1, 100000) n",
            [integration.token_id, str(uuid7()).replace("-", "")[:12], integration.pk],
        )
        # The planner guesses that one row in 200 joins: only a large table shows its plan.
        cursor.execute(
            "ANALYZE hitstream_outcome, hitstream_queue, hitstream_deadletter,"
            " hitstream_integration, hitstream_token"
        )
    for query in (
        "",
        "?state=delivered",
        "?state=dead",
        f"?integration__id__exact={integration.pk}",
    ):
        with CaptureQueriesContext(connection) as queries:
            page = operator.get(f"/admin/hitstream/delivery/{query}")
        assert page.status_code == 200
        listing = next(
            each["sql"] for each in queries if "ORDER BY" in each["sql"] and "since" in each["sql"]
        )
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {listing}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert f"Seq Scan on hitstream_outcome_{datetime.now(UTC):%Y%m%d}" not in plan, plan


def test_a_nonsense_filter_is_no_error(operator: Client, send: Send) -> None:
    for value in ("99999999999999", "²", "x", ""):
        assert operator.get("/admin/hitstream/hit/", {"received": value}).status_code in {200, 302}


def test_a_time_at_the_end_of_time_can_be_shown(
    operator: Client, send: Send, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    send(hit(sentAt="9999-12-31T23:59:59Z"))
    stored = Hit.objects.get()
    assert operator.get(f"/admin/hitstream/hit/{stored.pk}/change/").status_code == 200


def test_dead_letters_are_replayed_from_their_list(
    operator: Client, send: Send, token: Token
) -> None:
    with open_vendor(reply(400)) as vendor:
        add_webhook(token, vendor.url)
        send(hit())
        engine.run()
    letter = DeadLetter.objects.get()
    chosen = {"action": "replay", "_selected_action": [letter.pk]}
    answer = operator.post("/admin/hitstream/deadletter/", chosen, follow=True)
    assert "1 dead letter is queued again" in answer.content.decode()
    assert not DeadLetter.objects.exists()
    assert QueuedDelivery.objects.count() == 1


def test_a_replay_of_chosen_dead_letters_is_on_record_for_each_integration(
    operator: Client, send: Send, token: Token
) -> None:
    with open_vendor(reply(400)) as vendor:
        for name in ("Orders", "Invoices"):
            add_webhook(token, vendor.url, name=name)
        for _ in range(2):
            send(hit())
        engine.run()
    letters = list(DeadLetter.objects.values_list("pk", flat=True))
    chosen = {"action": "replay", "_selected_action": letters[:3]}
    operator.post("/admin/hitstream/deadletter/", chosen)
    found = Operation.objects.all()
    assert {each.integration.name: each.done for each in found} in (
        {"Orders": 2, "Invoices": 1},
        {"Orders": 1, "Invoices": 2},
    )
    for each in found:
        assert (each.kind, each.state, each.requested_by) == ("replay", "finished", "operator")
        assert each.done == each.total
        assert not each.is_open


def test_a_viewer_may_not_replay(operator: Client, transactional_db: None) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_deadletter"))
    client = Client(SERVER_NAME="localhost")
    client.force_login(viewer)
    page = client.get("/admin/hitstream/deadletter/").content.decode()
    assert "Replay selected" not in page


@pytest.mark.parametrize("verb", ["rotate", "revoke"])
def test_a_viewer_may_neither_rotate_nor_revoke(token: Token, verb: str) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_token"))
    client = Client(SERVER_NAME="localhost")
    client.force_login(viewer)
    url = f"/admin/hitstream/token/{token.pk}/{verb}/"
    assert client.post(url, {"grace": "0"}).status_code == 403
    token.refresh_from_db()
    assert (token.revoked_at, token.retiring_digest) == (None, None)


def config(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Orders",
        "enabled": "on",
        "max_attempts": "15",
        "max_age": "604800",
        "retry_base": "30",
        "concurrency": "16",
        "config-url": "http://127.0.0.1:9/",
        **changes,
    }


def test_a_stored_secret_stays_when_the_form_leaves_it_empty(
    operator: Client, token: Token
) -> None:
    integration = add_webhook(token, name="Orders")
    before = integration.secrets.open()
    url = f"/admin/hitstream/integration/{integration.pk}/change/"
    page = operator.get(url).content.decode()
    assert before["signing_secret"] not in page
    answer = operator.post(url, config(**{"event_names": "A\n B \n\nA", "config-timeout": "3"}))
    assert answer.status_code == 302
    integration.refresh_from_db()
    assert integration.secrets.open() == before
    assert integration.event_names == ["A", "B"]
    assert integration.config["timeout"] == 3


def test_a_change_is_on_record_with_its_author(operator: Client, token: Token) -> None:
    integration = add_webhook(token, name="Orders")
    url = f"/admin/hitstream/integration/{integration.pk}/change/"
    operator.post(url, config(**{"config-url": "http://127.0.0.1:9/new"}))
    last = token.revisions.order_by("number").last()
    assert last is not None
    assert last.made_by == "operator"
    snapshot = last.snapshot["integrations"][str(integration.pk)]
    assert snapshot["config"]["url"] == "http://127.0.0.1:9/new"
    operator.post(url, config(**{"config-url": "http://127.0.0.1:9/new"}))
    assert token.revisions.count() == last.number, "a save that changes nothing is no revision"


def test_an_integration_is_paused_with_a_reason_and_resumed(operator: Client, token: Token) -> None:
    integration = add_webhook(token)
    url = f"/admin/hitstream/integration/{integration.pk}/"
    assert operator.post(f"{url}pause/", {"reason": ""}).status_code == 200
    operator.post(f"{url}pause/", {"reason": "their migration"})
    integration.refresh_from_db()
    assert (integration.paused_by, integration.paused_reason) == ("operator", "their migration")
    assert "their migration" in operator.get(f"{url}change/").content.decode()
    operator.post(f"{url}resume/")
    assert Integration.objects.running().count() == 1


def test_a_credential_that_is_corrected_in_the_admin_sends_the_backlog(
    operator: Client, send: Send, token: Token
) -> None:
    with open_vendor(reply()) as vendor:
        integration = add_webhook(
            token, vendor.url, name="Orders", config={"headers": "Authorization: wrong"}
        )
        vendor.judge = lambda received, connection: reply(
            200 if received.headers["authorization"] == "right" else 401
        )(connection)
        for number in range(3):
            send(hit(hitId=f"h{number}"))
        engine.run()
        assert len(vendor.received) == 1
        url = f"/admin/hitstream/integration/{integration.pk}/change/"
        assert "Wrong configuration, next probe" in operator.get(url).content.decode()
        changes = {"config-url": vendor.url, "config-headers": "Authorization: right"}
        assert operator.post(url, config(**changes)).status_code == 302
        engine.run()
    assert Delivery.objects.filter(state="delivered").count() == 3
    assert Integration.objects.get().paused_at is None


def test_a_hit_says_why_it_is_held_back(operator: Client, send: Send, token: Token) -> None:
    add_webhook(token).pause(reason="their migration", by="me")
    send(hit())
    stored = Hit.objects.get()
    for page in (f"/admin/hitstream/hit/{stored.pk}/change/", "/admin/hitstream/delivery/"):
        content = operator.get(page).content.decode()
        assert "The integration is paused: their migration" in content


def test_an_integration_without_its_key_can_still_be_opened(
    operator: Client, token: Token, settings: Any
) -> None:
    integration = add_webhook(token)
    settings.HITSTREAM = {**settings.HITSTREAM, "SECRET_KEYS": ("A" * 43 + "=",)}
    assert operator.get("/admin/hitstream/integration/").status_code == 200
    url = f"/admin/hitstream/integration/{integration.pk}/change/"
    assert operator.get(url).status_code == 200
    answer = operator.post(url, config(name="Webhook"))
    assert answer.status_code == 200
    assert "HITSTREAM_SECRET_KEYS" in answer.content.decode()


def test_breakdowns_of_a_token_are_named_on_its_page(operator: Client, token: Token) -> None:
    url = f"/admin/hitstream/token/{token.pk}/change/"
    inline = {"integrations-TOTAL_FORMS": "0", "integrations-INITIAL_FORMS": "0"}
    form = {"name": "shop", "enabled": "on", "ip_policy": "keep", **inline}
    for bad in ("x" * 101, "\n".join(map(str, range(11)))):
        assert "At most" in operator.post(url, {**form, "breakdowns": bad}).content.decode()
    assert operator.post(url, {**form, "breakdowns": "plan\n\n plan \nsize"}).status_code == 302
    token.refresh_from_db()
    assert token.breakdowns == ["plan", "size"]
    assert Revision.objects.latest("pk").snapshot["breakdowns"] == token.breakdowns


def test_the_sites_of_a_token_are_checked_when_saved(operator: Client, token: Token) -> None:
    url = f"/admin/hitstream/token/{token.pk}/change/"
    inline = {"integrations-TOTAL_FORMS": "0", "integrations-INITIAL_FORMS": "0"}
    form = {"name": "shop", "enabled": "on", "ip_policy": "anonymise", **inline}
    for bad in ("shop.example", "https://shop.example/", "https://Shop.example", "https://*"):
        answer = operator.post(url, {**form, "origins": f"https://good.example\n{bad}"})
        assert "An origin is a scheme and a host" in answer.content.decode(), bad
    good = "https://shop.example\n\nhttps://*.shop.example\nhttp://[::1]:8000\n"
    assert operator.post(url, {**form, "origins": good}).status_code == 302
    token.refresh_from_db()
    assert token.origins == ["https://shop.example", "https://*.shop.example", "http://[::1]:8000"]
    assert token.ip_policy == "anonymise"
    assert Revision.objects.latest("pk").snapshot["origins"] == token.origins
    page = operator.get(url).content.decode()
    assert f"/f/{token.path}" in page
    assert str(token.project_id) in page
