"""Hours and days in the time zone of the page: right to the hit, wherever the viewer is."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from tracking.admin.ledger import by_hour
from tracking.console import home, integrations
from tracking.console.time_range import TimeRange
from tracking.models import Integration, Ledger
from tracking.models.ledger.ingest_stats import ingest_volume

pytestmark = pytest.mark.django_db(transaction=True)
QUARTER = timedelta(minutes=15)
#: Half and quarter hours off, days of 23 and 25 hours, and a summer time of half an hour.
PLACES = {
    "Asia/Kolkata": "2026-11-26 05:11",
    "Asia/Kathmandu": "2026-11-26 00:05",
    "America/St_Johns": "2026-11-03 12:00",
    "Pacific/Chatham": "2026-09-28 12:00",
    "Australia/Lord_Howe": "2026-10-05 12:00",
    "Europe/Berlin": "2026-10-26 01:30",
    "America/New_York": "2026-03-09 23:59",
    "UTC": "2026-11-26 00:00",
}


#: Thousands of rows at a time: the ORM takes a second for them.
ADD = """
    INSERT INTO hitstream_ledger (quarter_hour, token_id, integration_id, kind, reason, count)
    SELECT at, 1, owner, kind, '', counted
    FROM unnest(%s::timestamptz[], %s::bigint[]) AS quarter(at, counted),
        (VALUES (0, 'accepted'), (1, 'matched'), (1, 'delivered')) AS row(owner, kind)
"""


def count_every_quarter(until: datetime, days: int) -> dict[datetime, int]:
    """So that each bucket has a sum of its own: in the ledger, for a token and an integration."""
    now = until.astimezone(UTC)
    last = now.replace(minute=now.minute // 15 * 15)
    moments = [last - number * QUARTER for number in range(days * 96)]
    counts = {moment: 1 + number % 7 for number, moment in enumerate(moments)}
    with connection.cursor() as cursor:
        cursor.execute(ADD, [list(counts), list(counts.values())])
    return counts


def expected(counts: dict[datetime, int], zone: ZoneInfo, form: str) -> Counter[str]:
    """The sums by what a clock and a calendar there show."""
    found: Counter[str] = Counter()
    for at, count in counts.items():
        found[at.astimezone(zone).strftime(form)] += count
    return found


@pytest.mark.parametrize(("name", "form"), [("7d", "%d %H %z"), ("30d", "%m-%d")])
@pytest.mark.parametrize("place", PLACES)
def test_each_quarter_of_an_hour_is_in_its_hour_and_its_day(
    place: str, name: str, form: str
) -> None:
    zone = ZoneInfo(place)
    now = datetime.fromisoformat(PLACES[place]).replace(tzinfo=zone)
    counts = count_every_quarter(now, days=32)
    with timezone.override(zone):
        time_range = TimeRange(name, now)
        within = {at: count for at, count in counts.items() if at >= time_range.since}
        wanted = expected(within, zone, form)
        arrived = home.buckets_of(ingest_volume(time_range.since), time_range)
        settled = integrations.buckets_of(Integration(pk=1), time_range)
        for buckets in (arrived, settled):
            found = {at.astimezone(zone).strftime(form): sums[0] for at, sums in buckets}
            assert found == wanted
            assert len(found) == len(buckets)


@pytest.mark.parametrize("place", PLACES)
def test_the_ledgers_hours_are_those_of_the_place(place: str) -> None:
    zone = ZoneInfo(place)
    now = datetime.fromisoformat(PLACES[place]).replace(tzinfo=zone)
    counts = count_every_quarter(now, days=3)
    with timezone.override(zone):
        rows = by_hour(Ledger.objects.of_token(1, min(counts)))
        found = {row.at.astimezone(zone).strftime("%d %H %z"): row["accepted"] for row in rows}
    assert found == expected(counts, zone, "%d %H %z")
