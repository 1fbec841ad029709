"""The trail says of each hop what `client_ip` made of it."""

from collections.abc import Iterator

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from tracking.conf import conf
from tracking.ingest.auth.client_ip import clean_ip, client_ip
from tracking.ingest.auth.client_ip_trace import trace

ADDRESSES = ["10.0.0.1", "10.0.0.2", "203.0.113.7", "198.51.100.9", "::1", "nonsense", ""]


@pytest.fixture(scope="module", autouse=True)
def _proxies() -> Iterator[None]:
    with override_settings(HITSTREAM={**conf.given(), "TRUSTED_PROXIES": ("10.0.0.0/8", "unix")}):
        yield


@given(
    st.sampled_from(ADDRESSES),
    st.none() | st.lists(st.sampled_from(ADDRESSES), max_size=5).map(", ".join),
)
def test_the_client_of_the_trail_is_the_one_that_is_stored(
    peer: str, forwarded: str | None
) -> None:
    environ = {"REMOTE_ADDR": peer}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    (client,) = [hop for hop in trace(environ) if hop.is_client]
    shown = "" if client.address == "unix socket" else client.address
    assert clean_ip(shown) == client_ip(environ)


def test_what_was_written_by_the_sender_is_not_believed() -> None:
    environ = {
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_X_FORWARDED_FOR": "1.1.1.1, 203.0.113.7, 10.0.0.2",
    }
    hops = [(hop.address, hop.trusted, hop.is_client) for hop in trace(environ)]
    assert hops == [
        ("10.0.0.1", True, False),
        ("10.0.0.2", True, False),
        ("203.0.113.7", False, True),
        ("1.1.1.1", False, False),
    ]
