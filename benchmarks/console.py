"""`python -m benchmarks.console`: how long the console's pages take, and how many statements, with
ten million hits and twenty million deliveries stored.

Each page is asked for in this process, through all of Django's middleware, several times.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import django

from benchmarks.stack import Bench, bench

HITS = int(os.environ.get("BENCH_HITS", "10000000"))
DAYS, WAITING, ROUNDS = 30, 100_000, 7
#: Filters of the delivery log, with and without a match.
LOG = (
    "",
    *(f"state={state}" for state in ("queued", "retrying", "delivered", "dead", "skipped")),
    *(f"status={status}" for status in ("200", "429", "5xx", "418", "none")),
    *("event=Event+3", "event=Event+3&state=dead", "event=Event+3&status=503", "user=bot"),
    *("user=bot&state=dead", "answer=overloaded", "answer=nowhere", "attempts=2", "attempts=3"),
)
#: Milliseconds that no page may take.
LIMIT = 300


@dataclass(frozen=True)
class Timing:
    """Milliseconds of the first answer and of the others, and the statements that it took."""

    path: str
    first: float
    median: float
    longest: float
    statements: int

    def __str__(self) -> str:
        return (
            f"| `{self.path}` | {self.first:.0f} | {self.median:.0f} | {self.longest:.0f} "
            f"| {self.statements} |"
        )


def paths() -> Iterator[str]:
    """Every page, with something to be found on it."""
    from tracking.models import Hit, Integration  # noqa: PLC0415 (only once the apps are loaded)

    integration = Integration.objects.order_by("pk")[0].pk
    for span in ("24h", "7d", "30d"):
        yield f"/console/?span={span}"
        yield f"/console/integrations/{integration}/?span={span}"
    yield "/console/integrations/"
    for name in ("live", "alerts", "audit", "self-test"):
        yield f"/console/{name}/"
    for last in ("24h", "7d", "30d", "90d"):
        yield f"/console/analytics/?last={last}&breakdown=plan"
    yield "/console/analytics/?last=30d&format=csv&table=pages"
    hit = Hit.objects.order_by("-pk")[0]
    for wanted in ("", "?q=vent&sort=-last", f"?token={hit.token_id}", "?event=Event+3"):
        yield f"/console/events/{wanted}"
    yield f"/console/events/?{urlencode({'event': hit.name, 'token': hit.token_id, 'last': '90d'})}"
    for wanted in ("events&q=e", "breakdowns", "paths&syntax=cel&event=Event+3"):
        yield f"/console/events/completion/?kind={wanted}&token={hit.token_id}"
    yield "/console/palette/?q=event"
    yield f"/console/hits/{hit.pk}/"
    for value in ("bot", hit.user_id, hit.anonymous_id, "nobody@example.org"):
        yield f"/console/search/?q={value}"
    for log in ("/console/deliveries/", f"/console/integrations/{integration}/deliveries/"):
        yield from (f"{log}?{wanted}" for wanted in (*LOG, f"user={hit.user_id}"))


def measure(client: Any, path: str) -> Timing:
    from tests.support.crowd import statements  # noqa: PLC0415

    took: list[float] = []
    for _ in range(ROUNDS):
        with statements() as seen:
            begun = time.perf_counter()
            answer = client.get(path)
            took.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, (path, answer.status_code)
    return Timing(path, took[0], statistics.median(took[1:]), max(took[1:]), len(seen))


def prepare(servers: Bench) -> Any:
    """The crowd stands; a client that is signed in."""
    os.environ.update(servers.environment, DJANGO_SETTINGS_MODULE="project.settings")
    django.setup()
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from tests.support.crowd import crowd  # noqa: PLC0415

    begun = time.monotonic()
    crowd(HITS, DAYS, waiting=WAITING)
    sys.stderr.write(f"{HITS:,} hits stand after {time.monotonic() - begun:.0f} s\n")
    begun = time.monotonic()
    call_command("rollup", stdout=sys.stderr)
    sys.stderr.write(f"They are counted for analytics after {time.monotonic() - begun:.0f} s\n")
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("admin"))
    return client


def main() -> int:
    with bench() as servers:
        client = prepare(servers)
        timings = [measure(client, path) for path in paths()]
    sys.stdout.write(
        "| page | first, ms | median | longest | statements |\n|---|---|---|---|---|\n"
    )
    for timing in timings:
        sys.stdout.write(f"{timing}\n")
    return 0 if all(max(each.first, each.longest) < LIMIT for each in timings) else 1


if __name__ == "__main__":
    sys.exit(main())
