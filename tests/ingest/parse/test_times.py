"""No time refuses an event of an SDK, whatever its locale, its calendar and its clock."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dateutil.parser import isoparse

from tests.ingest.parse.spellings import SPELLINGS
from tests.support.sizes import of_faults
from tracking.ingest.parse.arrival import Arrival, ClientInfo
from tracking.ingest.parse.segment_payload import read_event
from tracking.ingest.parse.times import read_time
from tracking.ingest.parse.track_payload import read_hit

SENDER = ClientInfo(token_id=1, ip=None, user_agent="")
#: The first digit of each script.
ZEROS = "0٠۰०০੦૦௦౦೦൦๐໐༠၀០０"


def event(**times: Any) -> Arrival:
    payload = {"type": "track", "event": "E", "userId": "u", "messageId": "m", **times}
    return read_event(payload, b"", SENDER, type="track")


def browser_hit(**times: Any) -> Arrival:
    payload = {"event": {"name": "E"}, "userId": "u", **times}
    return read_hit(payload, b"", SENDER, browser=True)


def now() -> str:
    return datetime.now(UTC).isoformat()


def assert_told(value: Any, expected: datetime | None) -> None:
    """The event is stored with the instant that its `timestamp` names, or with its receipt."""
    arrival = event(timestamp=value)
    if expected is None:
        assert (arrival.clock, arrival.occurred_at) == ("unreadable", arrival.received_at), value
    elif expected > arrival.received_at:
        assert (arrival.clock, arrival.occurred_at) == ("capped", arrival.received_at), value
    else:
        assert (arrival.clock, arrival.occurred_at) == ("timestamp", expected), value


def test_there_are_two_hundred_spellings() -> None:
    assert len({repr(value) for value, _ in SPELLINGS}) == len(SPELLINGS) >= 200


@pytest.mark.parametrize(("value", "expected"), SPELLINGS, ids=lambda value: repr(value)[:40])
def test_a_spelling_names_its_instant_or_none(value: Any, expected: str | None) -> None:
    instant = datetime.fromisoformat(expected) if expected else None
    assert read_time(value) == instant
    assert_told(value, instant)


def spell(moment: datetime, choose: random.Random) -> str:
    """Return the moment as some runtime writes it."""
    offset = choose.choice([0, 60, -210, 330, 345, 765, -720])
    local = moment + timedelta(minutes=offset)
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    zones = [
        f"{sign}{minutes // 60:02}:{minutes % 60:02}",
        f"{sign}{minutes // 60:02}{minutes % 60:02}",
    ]
    zone = choose.choice([*zones, "Z"] if offset == 0 else zones)
    date, time = choose.choice([("%Y-%m-%d", "%H:%M:%S"), ("%Y%m%d", "%H%M%S")])
    digits = choose.choice([3, 6])
    local = local.replace(microsecond=local.microsecond // 10 ** (6 - digits) * 10 ** (6 - digits))
    return f"{local.strftime(f'{date}T{time}.%f')[: digits - 6 or None]}{zone}"


def in_script(text: str, zero: str) -> str:
    return text.translate({ord("0") + number: ord(zero) + number for number in range(10)})


@pytest.mark.faults
def test_generated_times_agree_with_another_parser() -> None:
    """Half are spellings of ISO 8601, in the digits of any script, which dateutil reads too; half
    are epoch times, calculated from the instant."""
    choose = random.Random(20261101)
    for number in range(of_faults(2000)):
        seconds = choose.randrange(int(timedelta(days=4000).total_seconds()))
        moment = datetime(2016, 1, 1, tzinfo=UTC) + timedelta(
            seconds=seconds, microseconds=choose.randrange(1000) * 1000
        )
        if number % 2:
            text = spell(moment, choose)
            assert_told(in_script(text, choose.choice(ZEROS)), isoparse(text))
        else:
            whole = round(moment.timestamp() * 1000)
            value: Any = choose.choice([whole, whole * 1000, whole * 10**6, whole / 1000])
            assert_told(choose.choice([value, str(value)]), moment)


@pytest.mark.parametrize(("value", "expected"), SPELLINGS[::7], ids=lambda value: repr(value)[:40])
def test_with_a_time_of_sending_the_clock_is_corrected(value: Any, expected: str | None) -> None:
    """A minute passed between event and sending, whatever the sender's clock shows."""
    instant = datetime.fromisoformat(expected) if expected else None
    sent_at = instant + timedelta(minutes=1) if instant else None
    arrival = event(timestamp=value, sentAt=sent_at.isoformat() if sent_at else now())
    if instant is None:
        assert (arrival.clock, arrival.occurred_at) == ("unreadable", arrival.received_at)
    else:
        assert arrival.clock == "corrected"
        assert arrival.received_at - arrival.occurred_at == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("times", "clock"),
    [
        ({}, "received"),
        ({"timestamp": None, "sentAt": None}, "received"),
        ({"sentAt": ""}, "unreadable"),
        ({"sentAt": "2569-11-01T12:00:00Z"}, "unreadable"),
        ({"sentAt": "2020-01-01T00:00:00Z"}, "sent"),
        ({"sentAt": 1577836800000}, "sent"),
        ({"sentAt": "2099-01-01T00:00:00Z"}, "capped"),
        ({"timestamp": "x", "originalTimestamp": "2020-01-01T00:00:00Z"}, "timestamp"),
        ({"timestamp": "2020-01-01T00:00:00Z", "sentAt": "x"}, "timestamp"),
        ({"timestamp": "x", "sentAt": "2020-01-01T00:00:00Z"}, "unreadable"),
        ({"timestamp": "2099-01-02T00:00:00Z", "sentAt": "2099-01-02T00:00:01Z"}, "corrected"),
        ({"timestamp": "2099-01-02T00:00:02Z", "sentAt": "2099-01-02T00:00:01Z"}, "capped"),
    ],
)
def test_the_clock_names_what_was_done(times: dict[str, Any], clock: str) -> None:
    arrival = event(**times)
    assert arrival.clock == clock
    assert arrival.occurred_at <= arrival.received_at


@pytest.mark.parametrize("days", [-4, 2, 36_500])
def test_the_browser_scripts_wrong_clock_is_corrected(days: int) -> None:
    happened = datetime.now(UTC) + timedelta(days=days)
    sent_at = happened + timedelta(seconds=30)
    arrival = browser_hit(timestamp=happened.isoformat(), sentAt=sent_at.isoformat())
    assert (arrival.clock, arrival.sent_at) == ("corrected", sent_at)
    assert arrival.received_at - arrival.occurred_at == timedelta(seconds=30)


def test_another_browser_hit_keeps_its_own_time() -> None:
    arrival = browser_hit(sentAt="2020-01-01T00:00:00Z")
    assert (arrival.clock, arrival.occurred_at) == ("sent", datetime(2020, 1, 1, tzinfo=UTC))


def test_a_hit_of_the_public_api_never_occurs_after_receipt() -> None:
    sent_at = datetime.now(UTC) + timedelta(days=2)
    payload = {"event": {"name": "E"}, "userId": "u", "sentAt": sent_at.isoformat()}
    arrival = read_hit({**payload, "timestamp": "2020-01-01T00:00:00Z"}, b"", SENDER)
    assert (arrival.clock, arrival.sent_at) == ("capped", sent_at)
    assert arrival.occurred_at == arrival.received_at
