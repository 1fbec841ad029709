"""manage.py demo: 30 days of a shop, and no trace of them afterwards."""

from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.support.hits import Send, basic, hit
from tests.support.integrations import add_webhook
from tests.support.ledger import discrepancies
from tests.support.operations import let_die
from tracking.ingest.demo import demo
from tracking.ingest.demo.shop import shop_hits
from tracking.models import (
    DeadLetter,
    Hit,
    Ledger,
    LifetimeTotal,
    Rollup,
    Token,
    Visitor,
    Watermark,
)
from tracking.models.analytics import rollup_job
from tracking.models.ledger.ingest_stats import ingest_volume
from tracking.models.operations.delete import delete_integration
from tracking.uuid7 import first_uuid7

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _two_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop of fewer days: the same visits, in less time."""
    monkeypatch.setattr(demo, "shop_hits", partial(shop_hits, days=2))


def run(*arguments: str) -> str:
    said = StringIO()
    call_command("demo", *arguments, stdout=said)
    return said.getvalue()


def test_the_days_of_a_shop_are_stored_and_deleted(send: Send, token: Token) -> None:
    send(hit())
    text = run()
    loaded = Token.objects.get(name="demo")
    hits = Hit.objects.filter(token=loaded)
    assert f"{hits.count():,} hits" in text
    names = set(hits.values_list("name", flat=True))
    assert {"Viewed Page", "Added Product", "Completed Transaction", "Registered"} <= names
    assert hits.filter(type="identify").exists()
    assert not hits.exclude(user_agent__startswith="Mozilla/5.0").exists()
    Watermark.objects.update_or_create(defaults={"position": first_uuid7(datetime.now(UTC))})
    rollup_job.catch_up()
    counted = Rollup.objects.filter(token_id=loaded.pk)
    assert counted.filter(dimension="campaign").exists()
    since = datetime.now(UTC) - timedelta(days=2, hours=1)
    assert min(hits.values_list("occurred_at", flat=True)) > since
    assert counted.filter(dimension="hour").values("at").distinct().count() > 30
    with pytest.raises(CommandError, match="delete it before"):
        run()

    assert f"{hits.count():,} hits are deleted" in run("--delete")
    assert not hits.exists()
    assert not counted.exists()
    assert not Visitor.objects.filter(token_id=loaded.pk).exists()
    assert Hit.objects.get().token == token
    Ledger.objects.consolidate()
    assert discrepancies() == []
    assert ingest_volume(since).total.stored == 1
    with pytest.raises(CommandError, match="no demo data"):
        run("--delete")


def test_what_a_deleted_integration_left_behind_goes_too(send: Send, token: Token) -> None:
    run()
    loaded = Token.objects.get(name="demo")
    kept = add_webhook(token)
    gone = add_webhook(loaded)
    let_die(send, kept, "k")
    secret = loaded.rotate()
    let_die(partial(send, authorization=basic(str(secret))), gone, "a", "b")
    delete_integration(gone, by="anna")
    assert "hits are deleted" in run("--delete")
    assert DeadLetter.objects.get().integration == kept
    assert not Hit.objects.filter(token=loaded).exists()
    balance = LifetimeTotal.objects.balances()
    assert (balance[gone.pk]["matched"], balance[gone.pk]["dead"]) == (0, 0)
    Ledger.objects.consolidate()
    assert discrepancies() == []


def test_the_demo_is_known_by_more_than_its_name() -> None:
    run()
    Token.objects.filter(name="demo").update(name="Shop of the demo")
    Token.objects.issue("demo")
    assert "are deleted" in run("--delete")
    assert Token.objects.present().get().name == "demo"


def test_a_token_of_the_same_name_is_not_touched() -> None:
    Token.objects.issue("demo")
    with pytest.raises(CommandError, match="rename it"):
        run()
    with pytest.raises(CommandError, match="no demo data"):
        run("--delete")
    assert Token.objects.present().filter(name="demo").exists()
