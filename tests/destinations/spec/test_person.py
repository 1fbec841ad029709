"""A person is read from every place, and hashed as advertisers want it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from tests.destinations.samples import SALE, SAMPLES, sample
from tracking.destinations.spec import person
from tracking.destinations.spec.ids import browser_of, someone, user_of
from tracking.destinations.spec.person import make_fbc, read_clicks, read_person, read_visit
from tracking.events import Event

DIGEST = hashlib.sha256(b"x").hexdigest()


def visit_of(url: str = "https://shop.example/", **context: Any) -> Event:
    return sample(0, {"event": {"name": "X"}, "context": {"page": {"url": url}, **context}})


def test_a_person_of_the_public_api() -> None:
    who = read_person(SALE)
    assert (who.email, who.phone) == ("John.Doe@Example.com", "+1 (650) 555-0100")
    assert (who.first_name, who.last_name, who.external_ids) == ("John", "Doe", ("u1", "a1"))


def test_a_person_of_segment() -> None:
    address = {"city": "Köln", "postalCode": "50667", "country": "DE", "state": "NW"}
    traits = {**SAMPLES["identify"].traits, "address": address}
    for payload in ({"traits": traits}, {"context": {"traits": traits}}):
        who = read_person(sample(0, {"type": "track", "event": "X", **payload}))
        assert (who.email, who.last_name) == ("john.doe@example.com", "Doe")
        assert (who.city, who.region, who.postal_code, who.country) == ("Köln", "NW", "50667", "DE")


def test_the_orders_contact_and_lists_fill_what_is_missing() -> None:
    contact = {"email": "c@d.example", "phone": "+49 30 1234567"}
    told = {"name": "X", "transaction": {"contactInfo": contact}, "user": {"firstName": "Jo"}}
    who = read_person(sample(0, {"event": told}))
    assert (who.email, who.phone, who.first_name) == ("c@d.example", "+49 30 1234567", "Jo")
    many = sample(0, {"event": {"name": "X", "user": {"emails": ["a@b.example"], "phones": "x"}}})
    assert read_person(many).email == "a@b.example"


def test_a_digest_of_the_email_takes_its_place() -> None:
    assert read_person(sample(0, {}, email_hash=DIGEST)).email == DIGEST
    assert person.hash_text(person.plain_email(DIGEST.upper())) == DIGEST


def test_a_digest_that_is_none_is_dropped() -> None:
    assert person.plain_email(read_person(SAMPLES["seed"]).email) == ""


def test_the_digest_is_that_of_the_plain_form() -> None:
    expected = hashlib.sha256(b"john.doe@example.com").hexdigest()
    assert person.hash_text(person.plain_email(" John.Doe@Example.com ")) == expected
    assert person.hash_text("") == ""


@pytest.mark.parametrize(
    ("plain", "raw", "expected"),
    [
        (person.plain_email, "nobody", ""),
        (person.plain_phone, "+1 (650) 555-0100", "16505550100"),
        (person.plain_phone, "0049 30 1234567", "49301234567"),
        (person.plain_phone, "110", ""),
        (person.plain_phone, "1" * 16, ""),
        (person.plain_phone, DIGEST, DIGEST),
        (person.plain_name, " O'Neil ", "oneil"),
        (person.plain_name, "Ján-Émile", "jánémile"),
        (person.plain_place, "St. John's 2", "stjohns"),
        (person.plain_postal_code, "94025-1234", "94025"),
        (person.plain_postal_code, "SW1A 1AA", "sw1a1aa"),
        (person.plain_country, "US", "us"),
        (person.plain_country, "Germany", "de"),
        (person.plain_country, "USA", "us"),
        (person.plain_country, "U.K.", "gb"),
        (person.plain_country, "Atlantis", ""),
        (person.plain_country, "840", ""),
        (person.plain_email, "n/a", ""),
        (person.plain_email, "bob@", ""),
    ],
)
def test_plain_forms(plain: Any, raw: str, expected: str) -> None:
    assert plain(raw) == expected


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("+49 (0)170 1234567", "", "491701234567"),
        ("+1 650 555 0100 ext. 12", "", "16505550100"),
        ("0170 1234567", "", ""),
        ("0170 1234567", "DE", "491701234567"),
        ("(650) 555-0100", "US", "16505550100"),
        ("0049 170 1234567", "US", "491701234567"),
        ("16505550100", "", ""),
        ("0170 1234567", "US", ""),
        ("123 456 7890", "US", ""),
        ("n/a", "DE", ""),
        ("undefined", "", ""),
    ],
)
def test_a_phone_number_is_whole_or_left_out(raw: str, country: str, expected: str) -> None:
    """Digits without their country code would be those of somebody else."""
    assert person.plain_phone(raw, country) == expected


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("California", "US", "ca"),
        ("ca", "US", "ca"),
        ("US-CA", "US", "ca"),
        ("Nordrhein-Westfalen", "DE", "nordrheinwestfalen"),
        ("California", "", "california"),
        ("", "US", ""),
    ],
)
def test_a_state_of_the_us_is_two_letters(raw: str, country: str, expected: str) -> None:
    assert person.plain_region(raw, country) == expected


def test_a_contact_that_is_none_gives_way_to_the_next() -> None:
    contact = {"email": "c@d.example", "phone": "+49 30 1234567"}
    told = {"name": "X", "user": {"email": "n/a", "phone": "none"}, "transaction": {}}
    told["transaction"] = {"contactInfo": contact}
    who = read_person(sample(0, {"event": told}))
    assert (who.email, who.phone) == ("c@d.example", "+49 30 1234567")
    assert who.origins["email"] == ("properties", "transaction", "contactInfo", "email")


@pytest.mark.parametrize("id", ["undefined", "NULL", "n/a", "none", "0", "anonymous", " nil "])
def test_an_id_that_is_none_identifies_nobody(id: str) -> None:
    event = sample(0, {}, user_id=id, anonymous_id="a1")
    assert read_person(event).external_ids == ("a1",)
    assert (user_of(event), browser_of(event), someone(event)) == ("", "a1", "a1")
    assert someone(replace(event, anonymous_id=id)) == ""


def test_an_address_that_is_none_gives_way_to_the_connections() -> None:
    """The page of the public API has 123.22.334.55 in its sample."""
    assert read_visit(SAMPLES["seed"]).ip == "203.0.113.7"
    assert read_visit(SALE).ip == "198.51.100.9"
    assert read_visit(sample(0, {}, ip=None)).ip == ""
    assert read_visit(visit_of(ip="2001:DB8::1")).ip == "2001:db8::1"


def test_the_page_is_the_contexts_or_the_page_events_own() -> None:
    visit = read_visit(SAMPLES["page"])
    assert visit.url == "https://shop.example/boots?utm_source=google"
    assert (visit.title, visit.referrer) == ("Boots - Shop", "https://www.google.com/")
    assert read_visit(visit_of("javascript:alert(1)")).url == ""
    assert read_visit(sample(0, {"context": {"userAgent": "A"}})).user_agent == "A"


def test_click_ids_come_from_every_place() -> None:
    assert read_clicks(SALE) == {"gclid": "g-1"}
    queried = visit_of("https://shop.example/?fbclid=F&ttclid=T", fbp="fb.1.2.3")
    assert read_clicks(queried) == {"fbclid": "F", "ttclid": "T", "fbp": "fb.1.2.3"}
    optional = replace(queried, options={"_fbc": "fb.1.1.X"})
    assert make_fbc(read_clicks(optional), optional) == "fb.1.1.X"


def test_metas_click_cookie_is_made_of_the_click() -> None:
    event = visit_of("https://shop.example/?fbclid=F")
    millis = int(event.occurred_at.timestamp() * 1000)
    assert make_fbc(read_clicks(event), event) == f"fb.1.{millis}.F"
    assert make_fbc(read_clicks(SALE), SALE) == ""


@pytest.mark.parametrize("url", ["http://[", "https://x/?%zz", "https://x:99999999/?a"])
def test_a_broken_address_breaks_nothing(url: str) -> None:
    assert read_clicks(visit_of(url)) == {}
