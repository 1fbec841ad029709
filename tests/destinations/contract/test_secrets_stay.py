"""Secrets are bound to the address that they were entered for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.destinations.vendors.webhook.test_webhook import SECRET
from tracking.destinations.contract import registry
from tracking.exceptions import SetupError

#: Destinations whose address an operator enters: a configuration, and changes of the address.
MOVES: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "webhook": (
        {"url": "https://a.example/hook", "signing_secret": SECRET, "headers": "X-Key: k"},
        [{"url": url} for url in ("https://b.example/hook", "http://a.example/hook")]
        + [{"url": "https://a.example:8443/hook"}],
    ),
    "segment": (
        {"receiver": "jitsu", "url": "https://a.example", "write_key": "k"},
        [{"url": "https://a.example.evil.example"}],
    ),
    "posthog": (
        {"api_key": "phc_k", "region": "us"},
        [{"url": "https://evil.example"}],
    ),
    "clickhouse": (
        {"url": "https://a.example", "password": "p"},
        [{"url": "https://evil.example"}, {"url": "http://a.example"}],
    ),
    "postgresql": (
        {
            "host": "db.example",
            "database": "d",
            "user": "u",
            "password": "p",
            "sslmode": "verify-full",
        },
        [{"host": "evil.example"}, {"port": "5433"}, {"sslmode": "prefer"}],
    ),
    "amqp": (
        {"host": "mq.example", "tls": "on", "user": "u", "password": "p", "routing_key": "k"},
        [{"host": "evil.example"}, {"port": "5672"}, {"tls": ""}],
    ),
    "object-storage": (
        {
            "service": "s3",
            "bucket": "b",
            "format": "ndjson",
            "access_key": "AKIA",
            "secret_key": "s",
            "endpoint": "https://s3.example",
        },
        [{"endpoint": "https://evil.example"}, {"endpoint": ""}, {"access_key": "other"}],
    ),
}
CASES = [(slug, change) for slug, (_, changes) in MOVES.items() for change in changes]


def test_every_destination_with_an_address_is_here() -> None:
    with_address = {
        kind.slug
        for kind in registry.all_destinations()
        if any(hasattr(field, "origin") for field in kind.Config.base_fields.values())
    }
    assert set(MOVES) == with_address


@pytest.mark.parametrize(("slug", "change"), CASES)
def test_a_secret_does_not_follow_to_another_address(slug: str, change: dict[str, Any]) -> None:
    kind = registry.get_destination(slug).Config
    data = MOVES[slug][0]
    form = kind(data)
    assert form.is_valid(), form.errors
    plain, secrets = form.split()
    blank = {**data, **dict.fromkeys(secrets, "")}
    assert kind(blank, stored=secrets, present=plain).is_valid()

    moved = kind({**blank, **change}, stored=secrets, present=plain)
    assert not moved.is_valid()
    assert set(moved.errors) == set(secrets)
    assert "address has changed" in str(moved.errors)

    careless = kind({**blank, **change}, stored=secrets)
    assert careless.is_valid(), careless.errors
    with pytest.raises(SetupError, match="address has changed"):
        careless.merge_secrets(plain, lambda: pytest.fail("decrypted"))

    again = kind({**data, **change}, stored=secrets, present=plain)
    again.is_valid()
    assert "address has changed" not in str(again.errors)
