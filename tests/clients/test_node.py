"""The SDKs for Node, as published: whatever they are asked to send is stored, once."""

import pytest

from tests.clients.sdk import Driver, asked
from tests.support.comparison import check
from tests.support.tap import Tap
from tracking.models import Token
from tracking.models.tokens.api_token import ApiToken


@pytest.mark.parametrize("name", ["segment-node.mjs", "rudder-node.mjs", "jitsu-node.mjs"])
def test_all_calls_are_stored_as_they_were_meant(
    name: str, tap: Tap, token: Token, secret: ApiToken
) -> None:
    key = f"{token.project_id}:{secret}" if name.startswith("jitsu") else secret
    with Driver(name, tap.url, key) as sdk:
        sdk.go()
        assert sdk.finish() == ""
    check(tap, token, asked(name))
