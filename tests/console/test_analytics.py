"""What happens how often, on the page and in its files."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.people import viewer
from tests.support.rollups import arrival
from tracking.ingest.write.connection import connect
from tracking.ingest.write.store import store
from tracking.models import Token, Watermark
from tracking.models.analytics import rollup_job
from tracking.uuid7 import first_uuid7

URL = "/console/analytics/"
#: The second of two days that are shown by hours.
DAY = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def see(transactional_db: None) -> Client:
    return sign_in_as(viewer())


def sign_in_as(user: User) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def keep(token: Token, *hits: dict[str, Any]) -> None:
    """The hits are stored and counted."""
    with connect() as own:
        store(own, [arrival(token, **hit) for hit in hits])
    rollup_job.catch_up()


def happened(name: str, at: datetime, user: str = "u1", **said: Any) -> dict[str, Any]:
    context = said.pop("context", {})
    event = {"name": name, "user": {"userId": user}, **said}
    return {"event": event, "sentAt": at.isoformat(), "context": context}


def table(client: Client, key: str, **asked: str) -> list[list[str]]:
    answer = client.get(URL, {"format": "csv", "table": key, **asked})
    assert answer.status_code == 200
    return list(csv.reader(StringIO(answer.content.decode())))


def test_the_whole_page_is_in_utc_wherever_the_viewer_is(see: Client, token: Token) -> None:
    keep(
        token,
        happened("Registered", DAY + timedelta(minutes=-1)),
        happened("Registered", DAY + timedelta(minutes=1)),
        happened("Bought", DAY + timedelta(minutes=59)),
    )
    see.cookies["hitstream_zone"] = "Asia/Tokyo"
    found = table(see, "series", since="2026-11-20", until="2026-11-20")
    assert found[0] == ["Hour (UTC)", "Bought", "Registered"]
    assert len(found) == 1 + 24
    assert [row for row in found[1:] if row[1:] != ["0", "0"]] == [
        ["2026-11-20T00:00:00+00:00", "1", "1"],
    ]
    assert [row[1] for row in table(see, "users", since="2026-11-20", until="2026-11-20")[1:]] == [
        "1"
    ]
    # The menu offers the browser's zone.
    text = see.get(URL).content.decode().replace("Browser (Asia/Tokyo)", "")
    assert "Times are in <strong>UTC</strong>" in text
    assert "Tokyo" not in text


def test_the_range_may_be_named_as_on_other_pages(see: Client, token: Token) -> None:
    keep(token, happened("Registered", DAY))
    days = {"since": "2026-11-19", "until": "2026-11-22"}
    assert table(see, "series", **{"from": "2026-11-19", "to": "2026-11-22"}) == table(
        see, "series", **days
    )
    assert len(table(see, "users", span="30d")) == 1 + 30


def test_longer_ranges_are_counted_by_days_of_utc(see: Client, token: Token) -> None:
    names = ["a", "a", "a", "b", "b", "c", "d", "e", "f", "g"]
    keep(token, *(happened(name, DAY, user=f"u{at}") for at, name in enumerate(names)))
    keep(token, happened("a", DAY + timedelta(days=2)))
    see.cookies["hitstream_zone"] = "Asia/Tokyo"
    asked = {"since": "2026-11-19", "until": "2026-11-22"}
    assert table(see, "series", **asked) == [
        ["Day (UTC)", "a", "b", "c", "d", "e", "all others"],
        ["2026-11-19T00:00:00+00:00", "0", "0", "0", "0", "0", "0"],
        ["2026-11-20T00:00:00+00:00", "3", "2", "1", "1", "1", "2"],
        ["2026-11-21T00:00:00+00:00", "0", "0", "0", "0", "0", "0"],
        ["2026-11-22T00:00:00+00:00", "1", "0", "0", "0", "0", "0"],
    ]
    users = table(see, "users", **asked)
    assert [row[1] for row in users[1:]] == ["0", "10", "0", "1"]
    users = table(see, "users", name="a", **asked)
    assert [row[1] for row in users[1:]] == ["0", "3", "0", "1"]


def test_tops_are_of_the_event_and_the_share_is_of_all(see: Client, token: Token) -> None:
    Token.objects.filter(pk=token.pk).update(breakdowns=["plan"])
    home = {"page": {"path": "/"}, "campaign": {"source": "google", "medium": "cpc"}}
    keep(
        token,
        happened("Viewed Page", DAY, context=home),
        happened("Viewed Page", DAY, context=home),
        happened("Viewed Page", DAY, plan="pro", context={"page": {"path": "/boots"}}),
        happened("Registered", DAY, plan="free"),
    )
    asked = {"since": "2026-11-20"}
    assert table(see, "events", **asked)[1:] == [
        ["Viewed Page", "3", "0.750000"],
        ["Registered", "1", "0.250000"],
    ]
    assert table(see, "pages", **asked)[1:] == [["/", "2", "0.500000"], ["/boots", "1", "0.250000"]]
    assert table(see, "campaigns", **asked)[1:] == [["google / cpc", "2", "0.500000"]]
    pages = table(see, "breakdown", breakdown="plan", name="Viewed Page", **asked)
    assert pages == [["plan", "Count", "Share"], ["pro", "1", "0.333333"]]
    assert len(table(see, "breakdown", **asked)) == 1


def test_a_file_has_no_formulas(see: Client, token: Token) -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "a=b"]
    keep(token, *(happened(name, DAY) for name in names))
    answer = see.get(URL, {"format": "csv", "table": "events", "since": "2026-11-20"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    expected = 'attachment; filename="hitstream-events-2026-11-20-2026-11-20.csv"'
    assert answer["Content-Disposition"] == expected
    rows = list(csv.reader(StringIO(answer.content.decode())))[1:]
    assert {row[0] for row in rows} == {*(f"'{name}" for name in names[:5]), "a=b"}
    Token.objects.filter(pk=token.pk).update(breakdowns=["=1+1"])
    asked = {"format": "csv", "table": "breakdown", "breakdown": "=1+1", "since": "2026-11-20"}
    assert see.get(URL, asked).content.startswith(b"'=1+1,")


@pytest.mark.parametrize("key", ["series", "users", "events", "pages", "campaigns", "breakdown"])
def test_nobody_sees_of_a_token_that_is_kept_for_others(token: Token, key: str) -> None:
    shop, _ = Token.objects.issue("only", audience=["Shop"], breakdowns=["plan"])
    context = {"page": {"path": "/secret"}, "campaign": {"source": "secret"}}
    keep(shop, happened("secret", DAY, plan="secret", context=context))
    asked = {"since": "2026-11-20", "breakdown": "plan"}
    inside, outside = sign_in_as(viewer("ines", groups=("Shop",))), sign_in_as(viewer("otto"))
    found = table(inside, key, **asked)
    assert any("secret" in cell or cell == "1" for row in found[:25] for cell in row)
    del asked["breakdown"]
    page = outside.get(URL, asked)
    assert page.status_code == 200
    assert b"secret" not in page.content
    assert b"only" not in page.content.split(b'<form method="get"')[1].split(b"</form>")[0]
    cells = [cell for row in table(outside, key, **asked)[1:] for cell in row[1:]]
    assert set(cells) <= {"0"}
    assert outside.get(URL, {"token": str(shop.pk)}).status_code == 404
    assert inside.get(URL, {"token": str(shop.pk)}).status_code == 200


def test_one_token_is_counted_without_the_others(see: Client, token: Token) -> None:
    blog, _ = Token.objects.issue("blog")
    keep(token, happened("a", DAY), happened("a", DAY))
    keep(blog, happened("a", DAY))
    assert table(see, "events", since="2026-11-20")[1][1] == "3"
    assert table(see, "events", since="2026-11-20", token=str(blog.pk))[1][1] == "1"


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "2026-11-21", "until": "2026-11-20"},
        {"since": "1000-01-01", "until": "2026-11-20"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": "soon"},
        {"last": "1y"},
        {"breakdown": "nothing"},
        {"name": "x" * 256},
    ],
)
def test_what_cannot_be_asked_is_said(see: Client, asked: dict[str, str]) -> None:
    answer = see.get(URL, asked)
    assert answer.status_code == 200
    assert b"errornote" in answer.content
    assert see.get(URL, {"format": "csv", "table": "events", **asked}).status_code == 404


@pytest.mark.parametrize("asked", [{"token": "0"}, {"token": "x"}, {"format": "csv", "table": "x"}])
def test_what_is_not_there_is_404(see: Client, asked: dict[str, str]) -> None:
    assert see.get(URL, asked).status_code == 404


@pytest.mark.parametrize("last", ["24h", "7d", "30d", "90d"])
def test_quick_ranges_end_now(see: Client, token: Token, last: str) -> None:
    now = datetime.now(UTC)
    keep(token, happened("a", now - timedelta(seconds=30)), happened("a", now - timedelta(days=91)))
    assert table(see, "events", last=last)[1][:2] == ["a", "1"]
    steps = {"24h": 24, "7d": 7, "30d": 30, "90d": 90}[last]
    assert len(table(see, "series", last=last)) == 1 + steps


def test_the_empty_page_says_what_to_do(sign_in: SignIn, transactional_db: None) -> None:
    page = sign_in(viewer(), URL)
    assert "manage.py rollup" in page.inner_text(".hs-empty")
    assert violations(page) == []
    shoot(page, "analytics-empty")


def test_the_page_says_up_to_when_it_is_right(see: Client, token: Token) -> None:
    keep(token, happened("a", DAY))
    assert b"Later hits are not counted yet" not in see.get(URL).content
    Watermark.objects.update(position=first_uuid7(DAY))
    page = see.get(URL).content.decode()
    assert "Later hits are not counted yet" in page
    assert "2026-11-20 00:00:00" in page


def test_the_page_shows_what_happens(sign_in: SignIn, token: Token) -> None:
    Token.objects.filter(pk=token.pk).update(breakdowns=["plan"])
    now = datetime.now(UTC)
    names = (
        *("Viewed Page", "Viewed Product Detail", "Added Product", "Completed Transaction"),
        *("Registered", "Searched Products", "Subscribed", "Lead"),
    )
    hits = [
        happened(
            names[min(number % 13, number % 8, number % 17 % 8)],
            now - timedelta(hours=number * 7 % 170),
            user=f"u{number % 83}",
            plan=("free", "pro", "team")[number % 7 % 3],
            context={
                "page": {"path": f"/{('boots', 'shoes', 'thanks', 'cart', '')[number % 11 % 5]}"},
                "campaign": {"source": ("google", "bing")[number % 3 % 2], "medium": "cpc"},
            },
        )
        for number in range(900)
    ]
    keep(token, *hits[:450])
    keep(token, *hits[450:])
    page = sign_in(viewer(), f"{URL}?breakdown=plan")
    page.wait_for_selector("#series ~ .hs-chart canvas")
    assert violations(page) == []
    page.locator("section[aria-labelledby=series] summary").click()
    assert violations(page) == []
    page.locator("section[aria-labelledby=series] summary").click()
    shoot(page, "analytics-full")
    follow(page, "text=24 h")
    page.wait_for_selector("#series ~ .hs-chart canvas")
    shoot(page, "analytics-hours")
    follow(page, "#events ~ table a")
    assert "Viewed Page" in page.inner_text("#series")
    with page.expect_download() as download:
        page.click("[aria-label='Pages as CSV']")
    assert download.value.suggested_filename.startswith("hitstream-pages-")
