"""When an event happened: the sender's times as SDKs write them, and the rule that gives the
event's time.

A phone writes the digits and the calendar of its locale, and its clock may be wrong. No time is a
reason to refuse a hit here; `Clock` names what was done.

Sources: ISO 8601 as `datetime.fromisoformat` reads it, RFC 9557 (a zone's name in brackets),
Unicode Standard, section 22.3 (decimal digits of the scripts).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tracking.ingest.parse.fields import iso_time
from tracking.models.hits.hit import Clock

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The years of the Gregorian calendar that an event can have. Others are those of another calendar
#: (Hijri 1448, Persian 1405, Minguo 115, Buddhist 2569) or a default (0001-01-01).
YEARS = range(1970, 2400)
#: Below this number of seconds (March 1973) a number is no epoch time: a counter, an uptime, 0.
LEAST_EPOCH = 100_000_000
#: An epoch time in seconds, ms, µs or ns is less than this; the year is then 5138.
MOST_SECONDS = 100_000_000_000
MOST_TEXT = 64
EPOCH_TEXT = re.compile(r"[0-9]{9,19}(\.[0-9]{1,9})?")
ZONE_NAME = re.compile(r"\[[^\[\]]*\]$")
#: What locales write between the parts of a time, as ISO 8601 has it.
MARKS = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"),
        **dict.fromkeys("\u066b\uff0c\uff0e", "."),
        **dict.fromkeys("\uff1a\u2236\ufe55", ":"),
        **dict.fromkeys("\u00a0\u2009\u202f\u3000", " "),
        **dict.fromkeys("\u061c\u200e\u200f\u2066\u2067\u2068\u2069\ufeff", ""),
        "\uff0b": "+",
    }
)


def read_time(value: Any) -> datetime | None:
    """Return the instant that an SDK wrote, in UTC; None for what is no time of the Gregorian
    calendar. A number, also as a text, is seconds, ms, µs or ns since 1970, by its size."""
    found: datetime | None
    if isinstance(value, str):
        try:
            found = iso_time(value)
        except ValueError:
            found = _read_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found = _read_epoch(value)
    else:
        return None
    return found if found is not None and found.year in YEARS else None


def _read_text(text: str) -> datetime | None:
    """Read a text that is not ISO 8601 as it stands."""
    if len(text) > MOST_TEXT:
        return None
    plain = ZONE_NAME.sub("", _as_ascii(text))
    if EPOCH_TEXT.fullmatch(plain):
        return _read_epoch(float(plain) if "." in plain else int(plain))
    for zone in (" UTC", " GMT"):
        if plain.endswith(zone):
            plain = f"{plain.removesuffix(zone)}Z"
    # A blank before the offset, as Ruby writes it.
    plain = re.sub(r" (?=[+-][0-9:]+$)", "", plain)
    try:
        return iso_time(plain)
    except ValueError:
        return None


def _as_ascii(text: str) -> str:
    """Return the text with the decimal digits of any script, and the marks of any locale, as ISO
    8601 writes them."""
    text = text.translate(MARKS).strip()
    return "".join(
        each if each.isascii() else str(unicodedata.decimal(each, each)) for each in text
    )


def _read_epoch(number: float) -> datetime | None:
    if not LEAST_EPOCH <= number < MOST_SECONDS * 10**9:
        return None
    for unit in (1, 10**3, 10**6, 10**9):
        if number < MOST_SECONDS * unit:
            whole, part = divmod(number, unit)
            try:
                return EPOCH + timedelta(seconds=whole, microseconds=part * 10**6 / unit)
            except OverflowError:
                return None
    return None


def capped(received_at: datetime, moment: datetime, clock: Clock) -> tuple[datetime, Clock]:
    """Return the time and its rule, or the time of receipt for a time after it."""
    return (received_at, Clock.CAPPED) if moment > received_at else (moment, clock)


def tell_time(
    payload: Mapping[str, Any],
    given_sent_at: Any,
    received_at: datetime,
    *,
    historical: bool = False,
) -> tuple[datetime, datetime, Clock]:
    """Return when the event was sent, when it happened, and the rule that gives that time.

    The sender's clock may be wrong; the time from the event to its sending is right all the same.
    So the result is received - (sent - timestamp), and never after receipt. RudderStack's SDKs send
    beside the `originalTimestamp` of the call a `timestamp` that the caller gave: that one counts.
    `historical` events did not happen just now: their delay says nothing about the sender's clock.
    """
    sent_at = read_time(given_sent_at)
    called = read_time(payload.get("originalTimestamp"))
    timestamp = read_time(payload.get("timestamp"))
    original = timestamp or called
    if original is None:
        occurred_at, clock = _without_timestamp(payload, given_sent_at, sent_at, received_at)
    elif sent_at is None or historical or (called and timestamp):
        occurred_at, clock = capped(received_at, original, Clock.TIMESTAMP)
    else:
        corrected = received_at - (sent_at - original)
        occurred_at, clock = capped(received_at, corrected, Clock.CORRECTED)
    return sent_at or received_at, occurred_at, clock


def _without_timestamp(
    payload: Mapping[str, Any], given_sent_at: Any, sent_at: datetime | None, received_at: datetime
) -> tuple[datetime, Clock]:
    given = (payload.get("timestamp"), payload.get("originalTimestamp"))
    if any(value is not None for value in given):
        return received_at, Clock.UNREADABLE
    if sent_at is not None:
        return capped(received_at, sent_at, Clock.SENT)
    return received_at, Clock.RECEIVED if given_sent_at is None else Clock.UNREADABLE
