"""One box finds a hit by whatever it is known by, and says why it may find none."""

import hashlib
import json

import pytest
from django.test import Client
from playwright.sync_api import expect

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.operations import let_die, post
from tests.support.people import viewer
from tracking.ingest.parse.arrival import ClientInfo
from tracking.ingest.parse.segment_payload import parse_event
from tracking.ingest.write.connection import connect
from tracking.ingest.write.refusals import refusals
from tracking.ingest.write.store import store
from tracking.models import Hit, Token
from tracking.models.access.scope import Scope
from tracking.models.explain.search import SHOWN, search

pytestmark = pytest.mark.django_db(transaction=True)
EVERYTHING = Scope(None)
MAIL = "ada@shop.example"


def person(hit_id: str, **user: str) -> dict[str, object]:
    return hit(hitId=hit_id, event={"name": "Registered", "user": user})


def hashed(name: str, text: str = MAIL) -> str:
    return hashlib.new(name, text.encode()).hexdigest()


def found(term: str, scope: Scope = EVERYTHING) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.hit.hit_id, each.kinds) for each in search(term, scope)]


def test_a_hit_is_found_by_each_of_its_values(send: Send) -> None:
    send(person("h1", userId="u1", anonymousId="a1", emailHash=hashed("sha256")))
    send(person("h2", userId="u2", anonymousId="u1", emailHash=hashed("md5")))
    ours = Hit.objects.get(hit_id="h1").pk
    assert found("h1") == [("h1", ("hitId",))]
    assert found(f" {str(ours).upper()} ") == [("h1", ("Hitstream ID",))]
    assert found("a1") == [("h1", ("anonymous id",))]
    assert found("u1") == [("h2", ("anonymous id",)), ("h1", ("user id",))]
    assert found(hashed("sha256")) == [("h1", ("e-mail hash",))]
    assert found(" Ada@Shop.example ") == [
        ("h2", ("MD5 of the e-mail",)),
        ("h1", ("SHA-256 of the e-mail",)),
    ]
    for nothing in ("h", "H1", "", "\0", "x" * 5000, "u1'--", "%"):
        assert found(nothing) == []


def test_what_postgres_cannot_hold_is_looked_for_as_it_was_stored(send: Send) -> None:
    send(person("h\0", userId="u"))
    assert found("h\0") == [("h\ufffd", ("hitId",))]


def test_of_many_the_newest_are_shown(send: Send) -> None:
    for number in range(SHOWN + 2):
        send(person(f"h{number}", userId="bot"))
    numbers = range(SHOWN + 1, 1, -1)
    assert [hit_id for hit_id, _ in found("bot")] == [f"h{number}" for number in numbers]


def test_hits_of_a_token_that_is_not_seen_are_not_found(send: Send, token: Token) -> None:
    send(person("h1", userId="u1"))
    assert found("u1", Scope(frozenset({token.pk})))
    assert not found("u1", Scope(frozenset({token.pk + 1})))
    assert not found("h1", Scope(frozenset()))


def test_a_hit_that_is_meant_is_opened_at_once(send: Send) -> None:
    send(person("h1", userId="u1"))
    stored, client = Hit.objects.get(), Client()
    client.force_login(viewer())
    for term in ("h1", str(stored.pk)):
        answer = client.get("/console/search/", {"q": term})
        assert answer["Location"] == f"/console/hits/{stored.pk}/"
    assert client.get("/console/search/", {"q": "u1"}).status_code == 200


def test_the_box_finds_a_persons_hits_by_key(sign_in: SignIn, send: Send, token: Token) -> None:
    webhook = add_webhook(token, name="Orders", event_names=["Bought"])
    let_die(send, webhook, "Bought", "Bought")
    post(send, "Registered", "Bought")
    page = sign_in(viewer(), "/console/")
    page.keyboard.press("/")
    page.keyboard.type("u1")
    page.keyboard.press("Enter")
    expect(page.locator("#content tbody tr")).to_have_count(4)
    expect(page.locator("#content tbody tr").first).to_contain_text("Orders Queued")
    expect(page.locator("#content tbody tr").nth(1)).to_contain_text("stored, not routed")
    expect(page.locator("#content tbody tr").nth(2)).to_contain_text("Dead letter")
    expect(page.locator("[data-search]")).to_have_value("u1")
    assert violations(page) == []
    shoot(page, "console-search")
    follow(page, page.locator("#content tbody a").first)
    expect(page.locator("h1")).to_have_text("Bought")


def test_where_none_is_found_it_says_what_may_be_the_matter(
    sign_in: SignIn, send: Send, token: Token
) -> None:
    send(hit())
    send({"event": {"name": "nobody"}})
    for _ in range(2):
        send(b"not json")
    refusals.write()
    page = sign_in(viewer(), f"/console/search/?q={MAIL}")
    expect(page.locator("#content")).to_contain_text(f"No stored hit has “{MAIL}”")
    expect(page.locator("#content")).to_contain_text("SHA-256 and MD5")
    expect(page.locator(".hs-checks ul li").first).to_have_text("2 json_invalid")
    expect(page.locator(".hs-checks")).to_contain_text("3 hits were refused and 1 accepted")
    expect(page.locator(".hs-checks")).to_contain_text("within 7 days")
    assert violations(page) == []
    shoot(page, "console-search-none")
    page.goto(page.url.partition("?")[0])
    expect(page.locator(".hs-empty")).to_contain_text("Exact match only")
    assert violations(page) == []


def test_who_does_not_see_all_tokens_is_told_how_far_was_looked(token: Token) -> None:
    client = Client()
    client.force_login(viewer())
    assert (
        b"Hidden behind other hits." not in client.get("/console/search/", {"q": "nobody"}).content
    )
    Token.objects.issue("kept", audience=["Shop"])
    assert b"Hidden behind other hits." in client.get("/console/search/", {"q": "nobody"}).content


def test_hits_stand_in_the_order_in_which_they_occurred(send: Send, token: Token) -> None:
    for name, sent_at in (
        ("third", "2026-10-25T12:00:00Z"),
        ("first", "0001-01-01T00:00:00Z"),
        ("second", "2026-10-24T12:00:00Z"),
    ):
        sent = {"event": {"name": name, "user": {"userId": "u7"}}, "sentAt": sent_at}
        assert send(sent).status_code == 204
    client = Client()
    client.force_login(viewer())
    client.cookies["hitstream_zone"] = "Asia/Kolkata"
    text = client.get("/console/search/?q=u7").content.decode()
    assert text.index(">third<") < text.index(">second<") < text.index(">first<")
    assert "2026-10-25 17:30:00" in text
    assert text.count("received <time") == 3
    earliest = Hit.objects.get(name="first")
    page = client.get(f"/console/hits/{earliest.pk}/").content.decode()
    assert "0001-01-01" in page
    assert "received <time" in page
    assert ">now</time>" in page


@pytest.mark.parametrize(
    "place",
    [
        {"event": {"name": "R", "user": {"userId": "u", "email": " Ada@Shop.Example "}}},
        {"event": {"name": "R", "email": "ADA@shop.example"}, "user": {"userId": "u"}},
        {"event": {"name": "R"}, "userId": "u", "email": "ada@shop.example"},
        {"event": {"name": "R"}, "userId": "u", "context": {"traits": {"email": MAIL.upper()}}},
        {
            "event": {"name": "R", "transaction": {"contactInfo": {"email": MAIL}}},
            "userId": "u",
        },
    ],
)
def test_a_hit_is_found_by_an_address_as_it_was_sent(send: Send, place: dict[str, object]) -> None:
    assert send({**place, "hitId": "h"}).status_code == 204
    assert found("ada@SHOP.example") == [("h", ("e-mail",))]
    assert found("other@shop.example") == []


def test_a_hit_is_found_by_an_address_with_an_escaped_at_sign(send: Send) -> None:
    body = json.dumps({"event": {"name": "R", "email": MAIL}, "userId": "u", "hitId": "h"})
    assert send(body.replace("@", "\\u0040").encode()).status_code == 204
    assert found(MAIL) == [("h", ("e-mail",))]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "identify", "traits": {"email": MAIL}},
        {"type": "track", "event": "E", "properties": {"email": MAIL.upper()}},
        {"type": "track", "event": "E", "context": {"traits": {"email": f" {MAIL}"}}},
    ],
)
def test_an_event_of_an_sdk_is_found_by_its_address(token: Token, event: dict[str, object]) -> None:
    sent = json.dumps({**event, "messageId": "m", "userId": "u"}).encode()
    arrival = parse_event(sent, ClientInfo(token_id=token.pk, ip=None, user_agent=""))
    with connect() as connection:
        store(connection, [arrival])
    assert found("Ada@shop.example") == [("m", ("e-mail",))]
    assert Hit.objects.get().email_hash == "", "what destinations get is the sender's own"
