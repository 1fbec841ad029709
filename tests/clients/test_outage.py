"""Postgres is away for three seconds while the SDKs send: what they send again is not lost."""

from contextlib import ExitStack
from typing import Any

from tests.clients.conftest import Visit
from tests.clients.sdk import Driver, asked
from tests.support.comparison import await_events, check
from tests.support.live import outage
from tests.support.tap import Tap, open_tap
from tracking.models import Hit, Token
from tracking.models.tokens.api_token import ApiToken

MILLISECONDS = 3000
DRIVERS = ("segment_python.py", "rudder_python.py", "segment-node.mjs", "rudder-node.mjs")
PAGES = ("analytics-next.html", "rudder.html")


def test_what_was_refused_is_stored_once(
    packages: None, server: int, visit: Visit, transactional_db: None
) -> None:
    with ExitStack() as stack:
        issued = {name: Token.objects.issue(name) for name in DRIVERS + PAGES}
        tokens = {name: token for name, (token, _) in issued.items()}
        taps = {name: stack.enter_context(open_tap(server)) for name in issued}
        drivers = [
            stack.enter_context(Driver(name, taps[name].url, issued[name][1])) for name in DRIVERS
        ]
        pages = [visit(name, taps[name], str(tokens[name].project_id)) for name in PAGES]
        with outage():
            for driver in drivers:
                driver.go()
            for page in pages:
                page.evaluate("void send()")
            pages[0].wait_for_timeout(MILLISECONDS)
        for driver in drivers:
            driver.finish()
        for name, tap in taps.items():
            await_events(tap, len(asked(name)))
    for name, tap in taps.items():
        assert tap.posts(503), name
        check(tap, tokens[name], [as_sent_again(name, call) for call in asked(name)])


def as_sent_again(name: str, call: dict[str, Any]) -> dict[str, Any]:
    """Whatever analytics-next sends again it sends as whoever is identified by then."""
    return {"userId": "u-1", **call} if name == "analytics-next.html" else call


def test_jitsus_sdk_never_sends_again_what_was_refused(
    tap: Tap, token: Token, secret: ApiToken
) -> None:
    with Driver("jitsu-node.mjs", tap.url, f"{token.project_id}:{secret}") as sdk, outage():
        sdk.go()
        complaints = sdk.finish()
    assert len(tap.posts(503)) == len(tap.exchanges) == len(asked("jitsu-node.mjs"))
    assert complaints.count("failed with error: 503") == len(tap.exchanges)
    assert not Hit.objects.filter(token=token).exists()
