"""What a vendor does not get of a person, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tracking.destinations.spec.coerce import plain
from tracking.destinations.spec.omissions import LeftOut, Rule, without
from tracking.destinations.spec.origins import sender_values
from tracking.destinations.spec.person import Person, country_of, plain_email, plain_phone
from tracking.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRules:
    """A vendor's rules for a trait that it has no field for, and for values that are none."""

    personal: Rule
    email: Rule
    phone: Rule
    country: Rule


def person_left_out(
    event: Event, who: Person, sent: Collection[str], default_country: str, rules: PersonRules
) -> LeftOut:
    """Return the traits and contacts that are no field of the request. `sent` names the fields of
    the Person that are."""
    known = frozenset(who.origins[field] for field in sent if field in who.origins)
    lost = {p: rules.personal for p in without(event, known, rules.personal) if p[0] == "traits"}
    if "country" in who.origins and "country" not in sent:
        lost[who.origins["country"]] = rules.country
    contacts = unusable_contacts(event, country_of(who, default_country), rules.email, rules.phone)
    return lost | contacts


def unusable_contacts(event: Event, country: str, email: Rule, phone: Rule) -> LeftOut:
    """Return the e-mail addresses and phone numbers that are none, with the rule for each."""
    found: LeftOut = {}
    for path, value in sender_values(event):
        names = set(path)
        if names & {"email", "emails"} and not plain_email(plain(value)):
            found[path] = email
        elif names & {"phone", "phones"} and not plain_phone(plain(value), country):
            found[path] = phone
    return found
