"""From an empty admin to a delivered hit, in a real browser."""

import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections
from playwright.sync_api import Page, expect
from standardwebhooks import Webhook

from tests.support.browser import follow, shoot, unfold
from tests.support.integrations import add_webhook
from tests.support.vendor import open_vendor, reply
from tracking.delivery.engine import engine
from tracking.ingest.parse.arrival import ClientInfo
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.connection import connect
from tracking.ingest.write.store import store
from tracking.models import DeadLetter, Integration, QueuedDelivery, Token
from tracking.models.operations.operation import run_operations


def issue(page: Page) -> str:
    """The curl line of a fresh token, after the page that shows it."""
    follow(page, "a[href='/admin/hitstream/token/add/']")
    page.fill("#id_name", "Shop")
    follow(page, "input[name=_save]")
    expect(page.locator("h1")).to_have_text("API token issued")
    return page.locator("pre").nth(1).inner_text()


def work_elsewhere() -> None:
    """In a thread of its own, as a worker does: Playwright's loop runs in this one."""

    def work() -> None:
        run_operations(5, on_chunk=lambda operation: None)
        engine.run()
        connections.close_all()

    with ThreadPoolExecutor(1) as worker:
        worker.submit(work).result()


def test_a_token_is_issued_and_its_curl_line_works(signed_in: Page) -> None:
    page = signed_in
    shoot(page, "index-empty")
    curl = issue(page)
    shoot(page, "token-issued")
    page.locator("[data-copy]").first.click()
    expect(page.locator("[data-copy]").first).to_have_text("Copied")
    answer = subprocess.run([*shlex.split(curl), "-s"], capture_output=True, text=True, check=True)
    assert " 204 " in answer.stdout.splitlines()[0]
    secret = page.locator("pre").first.inner_text()
    follow(page, "text=Continue to")
    assert secret not in page.content()
    shoot(page, "token")


def test_a_webhook_is_set_up_and_the_hit_arrives_signed(signed_in: Page) -> None:
    page = signed_in
    curl = issue(page)
    follow(page, "text=Continue to")
    follow(page, "text=Add integration")
    shoot(page, "destinations")
    follow(page, ".hs-destinations a[href*='=webhook']")
    page.fill("#id_name", "Orders")
    page.fill("#id_config-url", "not a url")
    follow(page, "input[name=_save]")
    expect(page.locator(".errorlist")).to_have_count(1)
    shoot(page, "integration-error")
    with open_vendor(reply(200, b'{"ok": true}')) as vendor:
        page.fill("#id_config-url", vendor.url)
        unfold(page)
        page.check("#id_keep_bodies")
        shoot(page, "integration-form")
        follow(page, "input[name=_save]")
        expect(page.locator("h1")).to_have_text("Orders is set up")
        shoot(page, "integration-issued")
        secret = page.locator("pre").inner_text()
        subprocess.run([*shlex.split(curl), "-s"], capture_output=True, check=True)
        work_elsewhere()
        received = vendor.received[0]
    Webhook(secret).verify(received.body, received.headers)
    follow(page, "text=Continue to")
    assert secret not in page.content()
    shoot(page, "integration")
    follow(page, ".object-tools >> text=Test connection")
    follow(page, "input[type=submit]")
    expect(page.locator(".hs-verdict .hs-bad")).to_have_text("does not work")
    shoot(page, "verdict")
    follow(page, "text=Back to")
    follow(page, ".object-tools >> text=Ledger")
    expect(page.locator("tfoot td").first).to_have_text("1")
    shoot(page, "ledger")
    page.go_back()
    follow(page, ".object-tools >> text=Deliveries")
    expect(page.locator(".hs-good")).to_have_text("Delivered")
    shoot(page, "deliveries")
    follow(page, "#result_list td a")
    page.click("main summary")
    expect(page.locator("details pre").nth(3)).to_contain_text('{"ok": true}')
    shoot(page, "hit")


def test_pause_rotate_and_revoke(signed_in: Page) -> None:
    page = signed_in
    issue(page)
    follow(page, "text=Continue to")
    follow(page, "text=Rotate")
    shoot(page, "rotate")
    page.select_option("#id_grace", "3600")
    follow(page, "input[type=submit]")
    expect(page.locator("h1")).to_have_text("API token issued")
    token = Token.objects.get()
    assert token.retiring_digest is not None
    follow(page, "text=Continue to")
    follow(page, "text=Revoke")
    expect(page.locator(".hs-backlog")).to_contain_text("0 hits")
    page.fill("#id_typed_name", "another")
    follow(page, "input[type=submit]")
    expect(page.locator(".errorlist")).to_contain_text("That is not the name")
    shoot(page, "revoke")
    page.fill("#id_typed_name", token.name)
    follow(page, "input[type=submit]")
    expect(page.locator(".hs-bad")).to_have_text("revoked")
    shoot(page, "tokens")
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert [revision.made_by for revision in token.revisions.all()] == ["admin"] * 3


def break_and_send(token: Token, status: int, *names: str) -> None:
    """Hits that the vendor refuses with this status."""
    with connect() as connection, open_vendor(reply(status, b"I do not know that field")) as vendor:
        config = {"headers": "X-Key: a-secret-key"}
        add_webhook(token, vendor.url, name="Orders", config=config)
        sender = ClientInfo(token_id=token.pk, ip="203.0.113.7", user_agent="curl/8")
        bodies = [b'{"userId": "u1", "event": {"name": "%s"}}' % name.encode() for name in names]
        store(connection, [parse(body, sender) for body in bodies])
        work_elsewhere()


def test_dead_letters_are_replayed_after_a_look_at_what_will_be_sent(signed_in: Page) -> None:
    page = signed_in
    token, _ = Token.objects.issue("Shop")
    break_and_send(token, 422, "Registered", "Bought", "Bought")
    with open_vendor(reply()) as vendor:
        integration = Integration.objects.get()
        integration.config = {**integration.config, "url": vendor.url}
        integration.save()
        follow(page, "#content-main a[href='/admin/hitstream/integration/']")
        follow(page, "#result_list tbody th a")
        shoot(page, "integration-dead-letters")
        follow(page, ".object-tools >> text=Replay")
        expect(page.locator(".hs-preview strong")).to_have_text("3")
        page.fill("#id_event", "Bought")
        follow(page, "text=Update preview")
        expect(page.locator(".hs-preview strong")).to_have_text("2")
        expect(page.locator(".hs-preview pre").nth(1)).to_contain_text("Bought")
        expect(page.locator(".hs-preview pre").first).to_contain_text("X-Key: ••••")
        page.fill("#id_rate", "50")
        shoot(page, "replay")
        follow(page, "input[type=submit]")
        expect(page.locator("h1")).to_have_text("Replay of Orders (Shop)")
        shoot(page, "operation-waiting")
        work_elsewhere()
        expect(page.locator(".hs-good")).to_have_text("Finished")
        shoot(page, "operation-finished")
        assert len(vendor.received) == 2
    assert DeadLetter.objects.count() == 1
    page.goto(page.url.partition("/admin/")[0] + "/admin/hitstream/operation/")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    shoot(page, "operations")


def test_a_wrong_credential_pauses_visibly_and_a_deletion_says_what_it_cancels(
    signed_in: Page,
    settings: Any,
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "COMMIT_LAG": 0.5}
    page = signed_in
    token, _ = Token.objects.issue("Shop")
    break_and_send(token, 401, "Registered", "Bought")
    follow(page, "#content-main a[href='/admin/hitstream/integration/']")
    expect(page.locator(".hs-paused")).to_contain_text("wrong configuration, next probe")
    shoot(page, "integrations-paused")
    follow(page, "#result_list tbody th a")
    expect(page.locator("p.hs-paused")).to_contain_text("I do not know that field")
    shoot(page, "integration-paused")
    follow(page, "a.deletelink")
    expect(page.locator(".hs-preview strong")).to_have_text("2")
    page.fill("#id_typed_name", "Orders")
    shoot(page, "integration-delete")
    follow(page, "input[type=submit]")
    work_elsewhere()
    page.reload()
    expect(page.locator(".hs-good")).to_have_text("Finished")
    assert not QueuedDelivery.objects.exists()
    page.goto(page.url.partition("/admin/")[0] + "/admin/hitstream/delivery/")
    expect(page.locator("#result_list")).to_contain_text("Orders (deleted)")
    shoot(page, "deliveries-cancelled")
