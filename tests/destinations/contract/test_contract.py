"""What every destination must do. A new one adds its folder to vendors/: a Case and goldens."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.destinations.case import Case, folder
from tests.destinations.samples import SALE, SAMPLES, sales
from tests.support.vendor import Vendor
from tracking.destinations.contract import registry
from tracking.destinations.contract.config_form import ConfigForm
from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.omissions import NO_PAGE, NO_SENTENCE
from tracking.events import TYPES

VENDORS = Path(__file__).parents[1] / "vendors"
pytestmark = pytest.mark.parametrize(
    "kind", registry.all_destinations(), ids=lambda destination: destination.slug
)


def luminance(colour: str) -> float:
    """As WCAG 2.1 defines it, from 0 for black to 1 for white."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_it_declares_what_it_is(kind: type[Destination]) -> None:
    assert re.fullmatch(r"[a-z0-9-]{1,50}", kind.slug)
    assert kind.label
    assert kind.docs_url.startswith("https://")
    assert issubclass(kind.Config, ConfigForm)
    assert kind.takes
    assert kind.takes <= set(TYPES)
    assert kind.max_batch >= 1
    assert kind.max_bytes > 0
    for name in (kind.slug, kind.label, *kind.aliases):
        assert kind.slug in registry.slugs_named(name.upper())


def test_its_icon_is_a_square_with_letters_that_can_be_read(kind: type[Destination]) -> None:
    icon = ElementTree.fromstring(
        kind.icon_svg().replace(' xmlns="http://www.w3.org/2000/svg"', "")
    )
    square, letters = icon
    assert icon.attrib["viewBox"] == "0 0 24 24"
    assert icon.attrib["class"] == "hs-icon"
    assert (letters.text or "").isalpha()
    assert 1 <= len(letters.text or "") <= 2
    assert letters.attrib["fill"] == "#fff"
    assert 1.05 / (luminance(square.attrib["fill"]) + 0.05) >= 3, "its white letters can be read"


def test_its_notes_are_for_operators(kind: type[Destination]) -> None:
    title, _, text = kind.notes().partition("\n")
    assert title == f"# {kind.label}"
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[:2] == ["Where to find the values", "What is sent"]
    assert {"Limits", "Duplicates", "Sources"} <= set(headings)
    assert kind.docs_url.partition("#")[0] in text


def test_its_folder_is_a_package_that_the_import_contracts_see(kind: type[Destination]) -> None:
    module = Path(__import__(kind.__module__, fromlist=["__file__"]).__file__ or "")
    assert (module.parent / "__init__.py").exists()


def test_every_field_says_what_it_wants(kind: type[Destination]) -> None:
    for name, field in kind.Config.base_fields.items():
        assert field.help_text or field.label, name


def test_a_source_is_cited(kind: type[Destination]) -> None:
    module = __import__(kind.__module__, fromlist=["__doc__"])
    assert "Source:" in (module.__doc__ or "")


def test_its_configuration_survives_storage(
    kind: type[Destination], case: Case, destination: Destination, vendor: Vendor
) -> None:
    plain, secrets = case.fill(kind, vendor.url).split()
    assert json.loads(json.dumps([plain, secrets])) == [plain, secrets]
    assert set(secrets) <= kind.Config.secret_names()
    for secret in destination.secrets:
        assert secret not in json.dumps(plain)


def test_its_secrets_stay_when_the_form_is_saved_again(
    kind: type[Destination], case: Case, destination: Destination, vendor: Vendor
) -> None:
    plain, secrets = case.fill(kind, vendor.url).split()
    again = kind.Config(plain, stored=secrets, present=plain)
    assert again.is_valid(), again.errors
    assert again.split()[0] == plain
    assert again.merge_secrets(plain, lambda: secrets) == secrets
    assert again.issued == {}
    for secret in destination.secrets:
        assert secret not in again.as_p()


def test_it_is_made_without_a_single_request(destination: Destination, vendor: Vendor) -> None:
    assert 1 <= destination.batch_size <= destination.max_batch
    assert 0 < destination.timeout <= 60
    assert vendor.connections == 0


@pytest.mark.parametrize("type", TYPES)
def test_why_it_skips_says_nothing_that_a_sender_chose(destination: Destination, type: str) -> None:
    """Reasons are counted by their words, and anybody may send a hit."""
    event = replace(next(iter(SAMPLES.values())), type=type, name="Zyx", user_id="Zyx", payload={})
    assert "Zyx" not in destination.skip(event)


def test_a_reason_is_one_of_a_few(destination: Destination) -> None:
    """Sixty names, ids and texts are not sixty reasons in the ledger."""
    reasons = set()
    for number in range(60):
        name = f"???{number}" if number % 2 else f"[Amplitude] Revenue {number}"
        odd = {f"Zyx{number}": f"Zyx{number}", "value": f"Zyx{number}"}
        payload = {"event": name, "properties": odd, "traits": odd}
        for id in (f"Zyx{number}", "null", ""):
            event = replace(SALE, name=name, user_id=id, anonymous_id="", payload=payload)
            event = replace(event, options={"clientId": id})
            reasons |= {destination.skip(event), destination.skip(replace(event, type="identify"))}
            for path, rule in destination.left_out(event).items():
                assert rule in destination.rules, path
    assert "Zyx" not in " ".join(reasons)
    assert len(reasons) <= 6


def test_its_rules_are_told_apart_and_quote_a_page(kind: type[Destination]) -> None:
    """Words of the page, at most a sentence, or a statement that there are none."""
    codes = [rule.code for rule in kind.rules]
    assert len(set(codes)) == len(codes)
    for rule in kind.rules:
        assert rule.reason.endswith(".")
        assert rule.source
        assert re.fullmatch(r"https://[\w./#-]+", rule.url)
        assert rule.quote in {NO_PAGE, NO_SENTENCE} or 20 <= len(rule.quote) <= 200
        assert not re.search(r"[.!?] [A-Z]", rule.quote)
        assert re.fullmatch(r"[a-z]+_[a-z_]+", rule.code)


def test_its_batches_obey_its_limits(
    kind: type[Destination], destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = sales(destination.batch_size + 1)
    batches = list(destination.batches(many))
    assert [each for batch in batches for each in batch] == many
    assert max(len(batch) for batch in batches) == destination.batch_size
    assert list(destination.batches([])) == []
    if destination.batch_size > 1:
        limit = len(destination.request(many[:2]).body)
        monkeypatch.setattr(kind, "max_bytes", limit - 1)
        batches = list(destination.batches(many[:8]))
        assert [each.id for batch in batches for each in batch] == [each.id for each in many[:8]]
        for batch in batches:
            assert len(batch) == 1 or len(destination.request(batch).body) < limit


@pytest.mark.parametrize("name", [*SAMPLES, "batch"])
def test_its_requests_look_as_they_always_did(
    kind: type[Destination], case: Case, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """HITSTREAM_GOLDEN=write makes them anew: look at each before it is committed."""
    hosts = {region: f"https://{region or 'api'}.vendor.example" for region in kind.hosts}
    monkeypatch.setattr(kind, "hosts", hosts)
    destination = case.make(kind, "https://vendor.example/in")
    shown: Any
    if name == "batch":
        taken = [event for event in SAMPLES.values() if not destination.skip(event)]
        shown = [case.show(destination.request(batch)) for batch in destination.batches(taken)]
    elif reason := destination.skip(SAMPLES[name]):
        shown = {"skipped": reason}
    else:
        shown = case.show(destination.request([SAMPLES[name]]))
    path = VENDORS / folder(kind) / "golden" / f"{name}.json"
    if os.environ.get("HITSTREAM_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
    assert json.loads(json.dumps(shown)) == json.loads(path.read_text())


def test_a_retry_carries_the_same_ids(destination: Destination) -> None:
    many = sales(destination.batch_size)
    first, second = (destination.request(many) for _ in range(2))
    assert first.body == second.body
    assert first.url == second.url
    if destination.idempotency:
        sent = first.body + f"{first.headers}{first.url}".encode()
        # Or the sender's own id, where the vendor knows it from elsewhere.
        ids = [(str(event.id).encode(), event.hit_id.encode()) for event in many]
        assert all(id in sent or hit_id in sent for id, hit_id in ids)


def test_what_it_has_no_use_for_is_skipped_with_a_reason(destination: Destination) -> None:
    for type in TYPES:
        reason = destination.skip(replace(SALE, type=type))
        if type not in destination.takes:
            assert type in reason
