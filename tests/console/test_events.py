"""The event explorer: volumes, properties by path, routes, and what fields suggest."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from playwright.sync_api import expect

from tests.console.conftest import SignIn
from tests.console.test_analytics import happened, keep
from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.people import operator, viewer
from tracking.models import Token
from tracking.models.access.scope import Scope
from tracking.models.explain import event_sample
from tracking.models.explain.event_properties import (
    MOST_ITEMS,
    MOST_PATHS,
    MOST_READ,
    PathStats,
    PersonalData,
    ValueType,
    cel_of,
    field_of,
    path_report,
)
from tracking.models.explain.event_sample import sample_of_event

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/console/events/"
ALL = Scope(None)


@pytest.fixture
def see() -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(viewer())
    return client


def listed(client: Client, **asked: Any) -> list[tuple[Any, ...]]:
    rows = client.get(URL, asked).context["rows"]
    return [
        (each.count.name, each.count.day, each.count.week, each.count.month, each.count.total)
        for each in rows
    ]


def paths(*properties: dict[str, Any], **document: Any) -> dict[str, PathStats]:
    documents = [{"properties": each, **document} for each in properties]
    return {stats.text: stats for stats in path_report(documents).paths}


def suggested(client: Client, **asked: Any) -> list[str]:
    answer = client.get(f"{URL}completion/", asked)
    assert answer.status_code == 200
    return [each["value"] for each in answer.json()["options"]]


def test_each_event_has_its_counts_and_days(see: Client, token: Token) -> None:
    now = datetime.now(UTC)
    ago = {days: now - timedelta(days=days) for days in (0, 5, 20, 40)}
    keep(token, *[happened("Bought", at) for at in ago.values()], happened("Looked", ago[0]))
    keep(token, happened("Looked", ago[0]), happened("Gone", ago[40]))
    assert listed(see) == [
        ("Bought", 1, 2, 3, 4),
        ("Looked", 2, 2, 2, 2),
        ("Gone", 0, 0, 0, 1),
    ]
    bought, looked, gone = see.get(URL).context["rows"]
    assert (bought.count.first.date(), bought.count.is_last_by_hour) == (ago[40].date(), True)
    assert (gone.count.last.date(), gone.count.is_last_by_hour) == (ago[40].date(), False)
    assert sum(bought.days) == 3
    assert looked.days[-1] == 2
    assert [name for name, *_ in listed(see, sort="name")] == ["Bought", "Gone", "Looked"]
    assert next(name for name, *_ in listed(see, sort="last")) == "Gone"
    assert listed(see, q="ook") == [("Looked", 2, 2, 2, 2)]
    assert "No event has “x” in its name" in see.get(URL, {"q": "x"}).content.decode()


def test_events_of_all_tokens_are_added_up_and_those_of_others_are_not_seen(
    see: Client, token: Token
) -> None:
    other, _ = Token.objects.issue("other")
    now = datetime.now(UTC)
    keep(token, happened("Bought", now), happened("Secret", now))
    keep(other, happened("Bought", now))
    assert listed(see)[0] == ("Bought", 2, 2, 2, 2)
    assert listed(see, token=other.pk) == [("Bought", 1, 1, 1, 1)]
    Token.objects.filter(pk=token.pk).update(audience=["Shop"])
    assert listed(see) == [("Bought", 1, 1, 1, 1)]
    assert see.get(URL, {"token": token.pk}).status_code == 404
    assert see.get(URL, {"event": "Secret"}).status_code == 404
    assert suggested(see, kind="events") == ["Bought"]
    assert "secret" not in str(suggested(see, kind="paths")).lower()
    for kind in ("events", "paths"):
        address = f"{URL}completion/?kind={kind}&token={token.pk}"
        assert see.get(address).status_code == 404
    assert see.get(f"{URL}completion/?kind=nonsense").status_code == 404


def test_the_volume_is_right_where_a_name_is_of_no_hit(see: Client, token: Token) -> None:
    assert see.get(URL).status_code == 200
    assert see.get(URL, {"event": "No such"}).status_code == 404
    assert see.get(URL, {"event": "\0", "q": "\0"}).status_code == 404


def test_paths_have_types_fill_and_values() -> None:
    found = paths(
        {"plan": "pro", "total": 10, "paid": True, "items": [{"price": 1}, {"price": 2}]},
        {"plan": "pro", "total": None, "at": "2026-01-02T03:04:05Z", "tags": ["a", "b"]},
        {"plan": 7, "utm.source": "x", "nested": {"deep": {"er": ""}}},
    )
    assert {text: (stats.hits, dict(stats.types)) for text, stats in found.items()} == {
        "properties.at": (1, {ValueType.TIME: 1}),
        "properties.items": (1, {ValueType.LIST: 1}),
        "properties.items[].price": (1, {ValueType.NUMBER: 2}),
        "properties.nested": (1, {ValueType.OBJECT: 1}),
        "properties.nested.deep": (1, {ValueType.OBJECT: 1}),
        "properties.nested.deep.er": (1, {ValueType.STRING: 1}),
        "properties.paid": (1, {ValueType.BOOLEAN: 1}),
        "properties.plan": (3, {ValueType.STRING: 2, ValueType.NUMBER: 1}),
        "properties.tags": (1, {ValueType.LIST: 1}),
        "properties.tags[]": (1, {ValueType.STRING: 2}),
        "properties.total": (1, {ValueType.NUMBER: 1, ValueType.NULL: 1}),
        'properties."utm.source"': (1, {ValueType.STRING: 1}),
    }
    assert found["properties.plan"].samples == [("pro", 2 / 3), ("7", 1 / 3)]
    assert found["properties.plan"].breakdown == "plan"
    assert not any(
        found[text].breakdown
        for text in ("properties.items", "properties.nested.deep.er", "properties.tags[]")
    )
    assert cel_of(("properties", "utm.source")) == 'properties["utm.source"]'
    assert cel_of(("properties", "items", None, "price")) == ""
    assert field_of(("properties", "utm.source")) == ""


def test_what_looks_like_personal_data_is_marked() -> None:
    looks = {
        "mail": ("ann@shop.example", PersonalData.EMAIL),
        "address": ("192.0.2.7", PersonalData.IP),
        "six": ("2001:db8::1", PersonalData.IP),
        "contact": ("+49 30 123456", PersonalData.PHONE),
        "phone": ("030 123456", PersonalData.PHONE),
        "orderId": ("1002003004", None),
        "version": ("1.2.3", None),
        "at": ("12:30", None),
        "text": ("Write to me @ home", None),
    }
    found = paths({name: text for name, (text, _) in looks.items()})
    assert {name: found[f"properties.{name}"].personal for name in looks} == {
        name: kind for name, (_, kind) in looks.items()
    }
    one_in_many = paths(*[{"note": "none"}] * 30, {"note": "ann@shop.example"})
    assert one_in_many["properties.note"].personal is None


def test_a_document_of_any_size_is_read_to_a_limit() -> None:
    deep: dict[str, Any] = {}
    for _ in range(50):
        deep = {"a": deep}
    wide = {str(number): "x" * 1000 for number in range(5000)}
    assert len(paths({**wide, "z": deep, "l": [[[1] * 100] * 100] * 100})) <= MOST_PATHS
    report = path_report({"properties": {"l": [1] * 100}} for _ in range(100_000))
    assert report.hits == MOST_READ // (MOST_ITEMS + 1) + 1


def test_the_sample_is_of_the_newest_hits_of_the_event(
    send: Send, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        send({"event": {"name": "Bought", "n": number, "user": {"userId": "u1"}}})
    send(hit())
    send({"type": "identify", "userId": "u1", "event": {"user": {"userId": "u1"}}})
    other, _ = Token.objects.issue("other")
    for only in (None, token.pk):
        sample = sample_of_event("Bought", ALL, only)
        assert [event.properties["n"] for event in sample.events] == [3, 2, 1, 0]
    assert sample_of_event("Bought", ALL, other.pk).hits == ()
    assert sample_of_event("Bought", Scope(frozenset({other.pk}))).hits == ()
    monkeypatch.setattr(event_sample, "MOST_BYTES", 1)
    cut = sample_of_event("Bought", ALL)
    assert (len(cut.hits), cut.is_cut) == (1, True)


def test_the_hits_of_a_small_token_are_found_behind_those_of_a_large_one(
    token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, _ = Token.objects.issue("other")
    now = datetime.now(UTC)
    keep(token, happened("Bought", now, n=1))
    keep(other, *[happened("Bought", now, n=2)] * 3)
    monkeypatch.setattr(event_sample, "REACH", 3)
    sample = sample_of_event("Bought", ALL, token.pk)
    assert [event.properties["n"] for event in sample.events] == [1]
    assert sample.is_cut
    assert len(sample_of_event("Bought", ALL).hits) == 4


def test_a_breakdown_is_added_from_the_page_of_the_event(
    see: Client, send: Send, token: Token
) -> None:
    send({"event": {"name": "Bought", "plan": "pro", "user": {"userId": "u1"}}})
    address = f"{URL}?event=Bought"
    asked = {"token": token.pk, "property": "plan", "event": "Bought"}
    assert see.post(f"{URL}breakdown/", asked).status_code == 403
    see.force_login(operator())
    assert "Add breakdown" in see.get(address).content.decode()
    answer = see.post(f"{URL}breakdown/", asked, follow=True)
    assert "“plan” is a breakdown of “shop” now" in answer.content.decode()
    token.refresh_from_db()
    assert token.breakdowns == ["plan"]
    assert f"breakdown=plan&amp;token={token.pk}" in answer.content.decode()
    Token.objects.filter(pk=token.pk).update(breakdowns=[str(number) for number in range(10)])
    answer = see.post(f"{URL}breakdown/", asked, follow=True)
    assert "“shop” has 10 breakdowns already" in answer.content.decode()
    assert see.post(f"{URL}breakdown/", {**asked, "token": token.pk + 1000}).status_code == 404


def test_the_page_says_who_takes_the_event_and_why_not(
    see: Client, send: Send, token: Token
) -> None:
    send({"event": {"name": "Bought", "user": {"userId": "u1"}}})
    add_webhook(token, name="All")
    add_webhook(
        token, name="Few", event_names=["Bought", "identify"], mapping={"condition": "userId != ''"}
    )
    add_webhook(token, name="Others", event_names=["A", "B", "C", "D"])
    add_webhook(token, name="Off", enabled=False)
    page = see.get(URL, {"event": "Bought"})
    found = {each.integration.name: (each.is_taken, each.text) for each in page.context["routes"]}
    assert found == {
        "All": (True, ""),
        "Few": (True, "only if userId != ''"),
        "Others": (False, "takes only A, B, C and 1 other event"),
        "Off": (False, "disabled"),
    }
    keep(token, happened("Bought", datetime.now(UTC)), happened("identify", datetime.now(UTC)))
    rows = {each.count.name: each.integrations for each in see.get(URL).context["rows"]}
    assert rows == {"Bought": 2, "identify": 1}


def test_fields_are_completed_from_what_was_seen(see: Client, send: Send, token: Token) -> None:
    now = datetime.now(UTC)
    keep(token, happened("Rebought", now), happened("Rebought", now), happened("Bought", now))
    send(
        {
            "event": {
                "name": "Paid",
                "cart": [{"price": 1}],
                "utm.source": "x",
                "plan": "pro",
                "user": {"userId": "u1", "city": "Bonn"},
            }
        }
    )
    assert suggested(see, kind="events", q="bou") == ["Bought", "Rebought"]
    assert suggested(see, kind="breakdowns", token=token.pk, event="Paid") == ["plan", "utm.source"]
    jmespath = suggested(see, kind="paths", syntax="jmespath", event="Paid")
    assert {"properties.cart[].price", 'properties."utm.source"', "traits.city"} <= {*jmespath}
    cel = suggested(see, kind="paths", syntax="cel", token=token.pk)
    assert {'properties["utm.source"]', "traits.city", "type"} <= {*cel}
    assert not any("[]" in path for path in cel)
    assert "properties.plan" in suggested(see, kind="paths", syntax="field")


def test_only_who_may_view_hits_sees_events(see: Client, token: Token) -> None:
    keep(token, happened("Bought", datetime.now(UTC)))
    person = User.objects.create_user("clerk", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_token"))
    see.force_login(person)
    for path in ("", "?event=Bought", "completion/?kind=events"):
        assert see.get(f"{URL}{path}").status_code == 403
    assert see.get("/console/palette/?q=bought").json()["entries"] == []


def test_from_the_list_to_a_form_with_suggestions(
    send: Send, token: Token, sign_in: SignIn
) -> None:
    now = datetime.now(UTC)
    bought = happened("Bought", now, plan="pro", items=[{"price": 9, "mail": "a@shop.example"}])
    keep(token, bought, happened("Looked", now))
    add_webhook(token, name="Orders")
    person = operator()
    page = sign_in(person, URL)
    assert violations(page) == []
    shoot(page, "console-events")
    page.get_by_label("Name contains").fill("bou")
    expect(page.locator(".hs-events tbody tr")).to_have_count(1)
    assert page.url.endswith("?q=bou")
    follow(page, page.get_by_role("link", name="Bought"))
    expect(page.locator("#properties ~ .hs-scroll").first).to_contain_text("properties.plan")
    assert violations(page) == []
    shoot(page, "console-event")
    page = sign_in(person, "/admin/hitstream/integration/add/?destination=webhook")
    page.locator("fieldset:has([name=event_names]) summary").click()
    field = page.locator("[name=event_names]")
    field.press_sequentially("bou")
    expect(page.get_by_role("option", name="Bought")).to_be_visible()
    assert not [each for each in violations(page) if each.startswith("aria")]
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("Bought")
    field = page.locator("[name=mapping-set]")
    field.press_sequentially("properties.sum = pri")
    field.press("ArrowDown")
    expect(page.get_by_role("option", name="price")).to_be_visible()
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("properties.sum = properties.items[].price")


def test_properties_in_an_object_of_their_own_are_named(see: Client, send: Send) -> None:
    user = {"userId": "u1"}
    send({"event": {"name": "Flat", "plan": "pro", "user": user}})
    send({"event": {"name": "Deep", "properties": {"plan": "pro"}, "user": user}})
    pages = {name: see.get(f"{URL}?event={name}").content.decode() for name in ("Flat", "Deep")}
    hint = "The event has an object “properties” of its own."
    assert {name: hint in page for name, page in pages.items()} == {"Flat": False, "Deep": True}
