"""Sentry gets where something failed, and nothing that was sent; without the variables nothing is
imported."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.receiver import receiving

ROOT = Path(__file__).resolve().parents[2]
HEADER = "import django; django.setup()\n"
DEFAULT = """
import sys
import tracking.server.app, tracking.server.celery
from tracking.server import telemetry
telemetry.start()
print(sorted(name for name in sys.modules if name.startswith(("sentry_sdk", "opentelemetry"))))
"""
MISSING = """
import sys
sys.modules["sentry_sdk"] = sys.modules["opentelemetry"] = None
from tracking.server import telemetry
telemetry.start()
"""
#: Errors as they happen: each with a sender's words in local variables, in its text, or both.
FAILING = """
import logging, threading
import psycopg
from django.test import RequestFactory
from tracking.conf import conf
from tracking.current_request import environ_of_request
from tracking.ingest.wsgi import answer
from tracking.server import telemetry
telemetry.start()
requests = RequestFactory(SERVER_NAME="localhost")
head = {"authorization": "Basic the-api-token", "cookie": "sessionid=the-session",
        "x-request-id": "edge-1"}

def view(request):
    body = request.body.decode()
    raise ValueError(f"cannot read {body}")

environ = requests.post("/track?q=the-query", '{"a": "the-payload"}', "application/json",
                        headers=head).environ
environ_of_request.set(environ)
assert answer(view, environ).status_code == 500

log = logging.getLogger("tracking.ingest.write.store")
try:
    password = "the-password"
    raise psycopg.DataError("DETAIL: Failing row contains (the-payload)") from ValueError(password)
except psycopg.Error as error:
    log.exception("could not store %s", "the-payload", extra={"hit_ids": ["id-1"], "token": 7})
request = requests.get("/console/?q=the-query", headers=head)
logging.getLogger("django.request").error("Internal Server Error: %s", "/x?the-query",
                                          extra={"request": request, "status_code": 500})
logging.getLogger("django.request").error("Service Unavailable: %s", "/x",
                                          extra={"request": request, "status_code": 503})
logging.getLogger("django.security.DisallowedHost").error("Invalid header: the-payload",
                                                         extra={"status_code": 400})
logging.getLogger("some.library").error(f"failed for the-payload")
logging.getLogger("tracking").warning("the-payload as a breadcrumb")

def die(payload):
    raise RuntimeError(payload)

thread = threading.Thread(target=die, args=("the-payload",))
thread.start(); thread.join()
telemetry.stop()
"""
PRIVATE = ("the-payload", "the-api-token", "the-session", "the-query", "the-password", "x" * 50)


def run(script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DJANGO_SECRET_KEY": "x" * 50,
        "PYTHONPATH": str(ROOT),
        **environ,
    }
    return subprocess.run(
        [sys.executable, "-c", HEADER + script],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def events_of(envelope: bytes) -> list[dict[str, Any]]:
    lines = envelope.splitlines()[1:]
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [json.loads(item) for head, item in pairs if json.loads(head)["type"] == "event"]


def test_nothing_is_imported_by_default() -> None:
    done = run(DEFAULT)
    assert done.stdout == "[]\n", done.stderr


def test_a_missing_package_is_one_line_each() -> None:
    done = run(
        MISSING, SENTRY_DSN="http://key@127.0.0.1:9/1", OTEL_EXPORTER_OTLP_ENDPOINT="http://c:4318"
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stderr.splitlines()
    assert "SENTRY_DSN is set" in first
    assert 'pip install "hitstream[sentry]"' in first
    assert "OTEL_EXPORTER_OTLP_ENDPOINT is set" in second
    assert 'pip install "hitstream[otel]"' in second


def test_a_file_that_cannot_be_read_is_one_line_each() -> None:
    done = run(
        "from tracking.server import telemetry; telemetry.start()",
        SENTRY_DSN_FILE="/nowhere/dsn",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_EXPORTER_OTLP_HEADERS_FILE="/nowhere/headers",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("has no effect") == len(done.stderr.splitlines()) == 2


def test_a_wrong_ratio_is_one_line() -> None:
    done = run(
        "from tracking.server import telemetry; telemetry.start()",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_TRACES_SAMPLER_ARG="10%",
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not '10%'" in done.stderr


def test_sentry_gets_places_and_ids_but_no_content() -> None:
    with receiving() as receiver:
        done = run(FAILING, SENTRY_DSN=f"http://public@{receiver.address}/1")
        assert done.returncode == 0, done.stderr
    received = b"\n".join(receiver.bodies)
    for private in PRIVATE:
        assert private.encode() not in received, private
    events = [event for body in receiver.bodies for event in events_of(body)]
    assert len(events) == 5, done.stderr
    first, second, third, fourth, fifth = events
    frames = first["exception"]["values"][0]["stacktrace"]["frames"]
    assert first["exception"]["values"][0]["type"] == "ValueError"
    assert [frame["function"] for frame in frames] == ["answer", "view"]
    assert first["logentry"]["message"] == "%s %s failed"
    assert first["tags"]["request_id"] == "edge-1"
    assert second["tags"]["token"] == "7"
    assert second["extra"]["hit_ids"] == ["id-1"]
    assert third["logentry"]["message"] == "Internal Server Error: %s"
    assert fourth["logentry"]["message"] == "A record of some.library"
    assert fifth["exception"]["values"][0]["type"] == "RuntimeError"
    assert first["release"].startswith("hitstream@")
    for event in events:
        assert event.keys().isdisjoint({"request", "user", "breadcrumbs", "contexts", "modules"})
