"""The state of a component is cached once, and read in every language; programs read English."""

from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from tests.support.catalogue import language_of
from tracking.alerts.evaluate import evaluate
from tracking.health import heartbeats
from tracking.health.database import of_partitions
from tracking.models import Alert, AlertRule, Heartbeat
from tracking.models.alerts.rule import AlertKind

pytestmark = pytest.mark.django_db(transaction=True)

BEAT = (
    "The beat was never seen: run `hitstream beat` or your Celery beat, or `manage.py sweep` "
    "from cron."
)
MESSAGES = {
    "Partitions": "Teile",
    "Beat": "Takt",
    BEAT: "Der Takt fehlt.",
    "\0".join(("Created %(days)s day ahead.", "Created %(days)s days ahead.")): "\0".join(
        ("%(days)s Tag voraus.", "%(days)s Tage voraus.")
    ),
}


def test_a_component_speaks_the_language_of_its_reader(tmp_path: Path) -> None:
    found = of_partitions()
    english = str(found.said)
    with language_of(tmp_path, MESSAGES):
        assert (found.name, found.key) == ("Teile", "Partitions")
        assert str(found.said) != english
        assert str(found.said).endswith("voraus.")
        assert "Partitions" in Client().get("/readyz").json()["parts"]
        with translation.override("en"):
            assert (found.name, str(found.said)) == ("Partitions", english)


def test_an_alert_is_stored_in_english(tmp_path: Path) -> None:
    AlertRule.objects.exclude(kind=AlertKind.HEARTBEAT).delete()
    Heartbeat.objects.beat("worker")
    with language_of(tmp_path, MESSAGES):
        assert str(heartbeats.silent(seconds=60.0)["beat"]) == "Der Takt fehlt."
        evaluate()
        assert translation.get_language() == "xx"
    assert Alert.objects.get(subject="beat").message == BEAT
