"""Whose address it is, whom we believe about it, and what is kept of it."""

from typing import Any

import pytest

from tests.support.hits import hit
from tests.support.posting import post
from tracking.models import Hit, Token

PROXIES = ("10.0.0.0/8", "2001:db8::1")


@pytest.fixture
def proxies(settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "TRUSTED_PROXIES": PROXIES}


def stored_ip(token: Token, forwarded: str | None, peer: str, **hit_changes: Any) -> str | None:
    headers = {} if forwarded is None else {"x_forwarded_for": forwarded}
    body = hit(projectId=str(token.project_id), **hit_changes)
    assert post("/collect", body, remote_addr=peer, **headers).status_code == 204
    ip: str | None = Hit.objects.latest("pk").ip
    return ip


@pytest.mark.parametrize(
    ("peer", "forwarded", "ip"),
    [
        ("10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.9, 10.9.9.9", "198.51.100.9"),
        ("10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", None),
        ("10.0.0.1", "198.51.100.9, nonsense", None),
        ("10.0.0.1", "198.51.100.9:4711", "198.51.100.9"),
        ("10.0.0.1", "[2001:db8::9]:4711", "2001:db8::9"),
        ("2001:db8::1", "2001:db8::9", "2001:db8::9"),
        ("::ffff:10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("203.0.113.7", "198.51.100.9", "203.0.113.7"),
        ("", "198.51.100.9", None),
    ],
)
def test_only_trusted_proxies_are_believed(
    token: Token, proxies: None, peer: str, forwarded: str | None, ip: str | None
) -> None:
    assert stored_ip(token, forwarded, peer) == ip


def test_nobody_is_believed_by_default(token: Token) -> None:
    assert stored_ip(token, "198.51.100.9", "127.0.0.1") == "127.0.0.1"


def test_a_unix_sockets_peer_is_believed_if_we_say_so(token: Token, settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "TRUSTED_PROXIES": ("unix",)}
    assert stored_ip(token, "198.51.100.9", "") == "198.51.100.9"


@pytest.mark.parametrize(
    ("policy", "peer", "ip"),
    [
        ("keep", "203.0.113.7", "203.0.113.7"),
        ("anonymise", "203.0.113.7", "203.0.113.0"),
        ("anonymise", "2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("drop", "203.0.113.7", None),
    ],
)
def test_the_policy_says_what_is_kept(token: Token, policy: str, peer: str, ip: str | None) -> None:
    token.ip_policy = policy
    token.save()
    assert stored_ip(token, None, peer) == ip


@pytest.mark.parametrize(
    ("policy", "sent", "kept"),
    [
        ("keep", "198.51.100.9", {"ip": "198.51.100.9", "locale": "de"}),
        ("keep", "123.22.334.55", {"ip": "123.22.334.55", "locale": "de"}),
        ("anonymise", "198.51.100.9", {"ip": "198.51.100.0", "locale": "de"}),
        ("anonymise", "123.22.334.55", {"locale": "de"}),
        ("anonymise", {"v4": "198.51.100.9"}, {"locale": "de"}),
        ("drop", "198.51.100.9", {"locale": "de"}),
    ],
)
def test_the_policy_holds_for_what_the_sender_says_too(
    token: Token, policy: str, sent: Any, kept: dict[str, str]
) -> None:
    token.ip_policy = policy
    token.save()
    stored_ip(token, None, "203.0.113.7", context={"ip": sent, "locale": "de"})
    assert Hit.objects.get().payload["context"] == kept
