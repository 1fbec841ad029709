"""Home's first block: what needs attention, and the numbers beside it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.operations import let_die
from tests.support.people import operator, viewer
from tracking.console.attention import Item, attention, is_short
from tracking.console.integration_row import in_order, integration_rows
from tracking.console.time_range import TimeRange
from tracking.console.trend import Trend, trend_of_all, trends
from tracking.models import Alert, AlertRule, Integration, Ledger, Token
from tracking.models.access.scope import Scope
from tracking.models.ledger.ingest_stats import IngestCounts, stored_between
from tracking.models.upkeep.disk import GIGABYTE, Disk
from tracking.templatetags.alert_badge import open_alerts
from tracking.templatetags.humanise import change, percent

pytestmark = pytest.mark.django_db(transaction=True)


def items(user: object, **more: object) -> list[Item]:
    request = RequestFactory().get("/console/")
    request.user = user  # type: ignore[assignment]
    rows = integration_rows(in_order(Integration.objects.present()), TimeRange.of(request))
    facts = {"refused": IngestCounts(), "held": None, "disk": None, **more}
    return attention(request, Scope.of(user), rows=rows, **facts)  # type: ignore[arg-type]


def test_where_all_runs_nothing_needs_attention(token: Token) -> None:
    add_webhook(token)
    assert items(operator()) == []


def test_trouble_comes_first_and_has_its_button(send: Send, token: Token) -> None:
    integration = add_webhook(token, name="Orders")
    let_die(send, integration, "a", "b")
    down = add_webhook(token, name="Warehouse")
    down.pause(reason="their migration", by="anna")
    failing = add_webhook(token, name="Mail")
    Integration.objects.filter(pk=failing.pk).update(
        consecutive_failures=5, failing_since=timezone.now(), failure_status=500
    )
    rule = AlertRule.objects.create(kind="source", token=token)
    Alert.objects.create(rule=rule, subject="x", message="Shop sends nothing.", token=token)
    # The failing integration is named once, a failing one that looks well is named by its alert.
    rate = AlertRule.objects.create(kind="rate")
    for each in (failing, add_webhook(token, name="Flaky")):
        Alert.objects.create(
            rule=rate, subject=str(each.pk), message=f"{each.name} fails.", integration=each
        )
    found = items(
        operator(),
        refused=IngestCounts(reasons={"token_invalid": 3, "user_required": 1}),
        held=(datetime(2026, 1, 2, tzinfo=UTC).date(), "2 dead letters"),
    )
    assert [(item.subject, item.button) for item in found] == [
        ("Warehouse", "Open"),
        ("Mail", "Open"),
        ("Orders", "Replay"),
        ("Deliveries fail", "Open"),
        ("Source is silent", "Open"),
        ("Refused requests", "See samples"),
        ("Retention", ""),
    ]
    texts = [item.text for item in found]
    assert "their migration" in texts[0]
    assert texts[2].startswith("2 hits could not be delivered.")
    assert found[2].url.endswith("/replay/?next=%2Fconsole%2F")
    assert "`token_invalid` 3, `user_required` 1" in texts[5]
    assert [item.button for item in items(viewer()) if item.subject == "Orders"] == ["Open"]


def test_what_somebody_may_not_see_is_no_item(send: Send, token: Token) -> None:
    let_die(send, add_webhook(token), "a")
    Token.objects.filter(pk=token.pk).update(audience=["Shop"])
    client = Client()
    client.force_login(viewer("outsider"))
    assert "Nothing. All integrations run" in client.get("/console/").content.decode()


@pytest.mark.parametrize(("free", "is_item"), [(20, False), (10, True)])
def test_a_disk_that_fills_up_is_an_item(free: int, is_item: bool) -> None:
    disk = Disk(
        used=1,
        size=100 * GIGABYTE,
        free=free * GIGABYTE,
        growth=None,
        full_on=None,
        next_drop=None,
        next_drop_bytes=0,
    )
    assert is_short(disk) is is_item
    assert len(items(operator(), disk=disk)) == is_item


def test_the_rate_and_its_change_are_those_of_the_ledger(token: Token) -> None:
    integration = add_webhook(token)
    request = RequestFactory().get("/console/")
    time_range = TimeRange.of(request)

    def count(kind: str, ago: timedelta, number: int, of: int) -> None:
        at = time_range.now - ago
        at = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
        Ledger.objects.create(
            quarter_hour=at, token_id=token.pk, integration_id=of, kind=kind, count=number
        )

    count("delivered", timedelta(hours=1), 90, integration.pk)
    count("dead", timedelta(hours=1), 10, integration.pk)
    count("delivered", timedelta(hours=30), 100, integration.pk)
    count("delivered", timedelta(days=9), 1000, integration.pk)
    for ago, number in ((timedelta(hours=1), 7), (timedelta(hours=30), 5), (timedelta(days=9), 3)):
        count("accepted", ago, number, 0)
        count("duplicate", ago, 1, 0)
    trend = trends([integration.pk], time_range)[integration.pk]
    assert (trend.success, round(trend.change or 0)) == (0.9, -10)
    assert sum(bar.dead > 0 for bar in trend.bars) == 1
    together = trend_of_all([trend, trend])
    assert together.success == 0.9
    span = time_range.now - time_range.since
    assert stored_between(time_range.since - span, time_range.since) == 4
    assert stored_between(time_range.since - span, time_range.since, []) == 0
    assert trend_of_all([]).success is None


def test_only_all_is_a_hundred_per_cent() -> None:
    shares = (None, 0.0, 0.5, 0.99999, 1.0)
    assert [percent(share) for share in shares] == ["–", "0%", "50%", "99.9%", "100%"]
    assert [change(value) for value in (-0.04, 12.6, -1234.0)] == ["0", "+13", "-1,234"]
    assert Trend([], []).success is None


def test_the_badge_counts_what_is_open_now() -> None:
    rule = AlertRule.objects.create(kind="source")
    states = [{}, {"fine_since": timezone.now()}, {"silent_until": timezone.now() + timedelta(1)}]
    for number, state in enumerate(states):
        Alert.objects.create(rule=rule, subject=str(number), message="x", **state)
    assert open_alerts(operator()) == 1
