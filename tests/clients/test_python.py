"""The SDKs for Python, as published: whatever they are asked to send is stored, once."""

import pytest

from tests.clients.sdk import Driver, asked
from tests.support.comparison import check
from tests.support.tap import Tap
from tracking.models import Token
from tracking.models.tokens.api_token import ApiToken


@pytest.mark.parametrize("name", ["segment_python.py", "rudder_python.py"])
def test_all_calls_are_stored_as_they_were_meant(
    name: str, tap: Tap, token: Token, secret: ApiToken
) -> None:
    with Driver(name, tap.url, secret) as sdk:
        sdk.go()
        assert sdk.finish() == ""
    check(tap, token, asked(name))
