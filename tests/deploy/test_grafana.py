"""The dashboard asks only for series that a live /metrics has."""

import json
import re
from pathlib import Path

import requests

from tests.deploy.debian import DEPLOY
from tests.deploy.site import Site
from tests.support.ports import HOST, free_port
from tests.support.vendor import open_vendor, reply
from tests.support.waiting import wait_until

DASHBOARD = DEPLOY / "grafana/hitstream.json"
SERIES = re.compile(r"hitstream_\w+")


def test_every_series_and_label_of_the_dashboard_exists(site: Site, tmp_path: Path) -> None:
    port = free_port()
    session = requests.Session()
    session.trust_env = False
    with open_vendor(reply()) as vendor, site.everything(port):
        token = site.issue("grafana", vendor.url)
        hit = {"hitId": "g1", "event": {"name": "Registered", "user": {"userId": "u1"}}}
        address = f"http://{HOST}:{port}"
        assert session.post(f"{address}/track", json=hit, auth=(token, "")).status_code == 204
        bearer = (site.secrets / "metrics_token").read_text().strip()

        def read() -> str:
            headers = {"Authorization": f"Bearer {bearer}"}
            return session.get(f"{address}/metrics", headers=headers).text

        # The ledger's tallies are consolidated, and the worker has announced itself.
        wait_until(lambda: 'hitstream_deliveries_total{integration="' in read(), within=90)
        wait_until(lambda: "hitstream_heartbeat_age_seconds{" in read(), within=30)
        metrics = read()
    lines = [line for line in metrics.splitlines() if line.startswith("hitstream_")]
    present = {SERIES.match(line)[0]: line for line in lines}  # type: ignore[index]
    expressions = list(expressions_of(json.loads(DASHBOARD.read_text())))
    assert len(expressions) >= 25
    for expression in expressions:
        for name in SERIES.findall(expression):
            assert name in present, f"{name} in {expression}"
        series = present[SERIES.findall(expression)[0]]
        asked = re.findall(r"(\w+)=~?\"", expression) + grouping(expression)
        for label in asked:
            assert f"{label}=" in series, f"{label} in {expression}"
    # A dashboard that leaves something out is not wrong, but these are all that there are.
    asked_for = {name for expression in expressions for name in SERIES.findall(expression)}
    created = {name for name in present if name.endswith("_created")}
    assert set(present) - created == asked_for


def grouping(expression: str) -> list[str]:
    return [
        name.strip()
        for group in re.findall(r"by \(([^)]*)\)", expression)
        for name in group.split(",")
    ]


def expressions_of(dashboard: dict[str, object]) -> list[str]:
    found: list[str] = []

    def visit(value: object) -> None:
        if isinstance(value, dict):
            found.extend(value[name] for name in ("expr", "definition") if name in value)
            for each in value.values():
                visit(each)
        elif isinstance(value, list):
            for each in value:
                visit(each)

    visit(dashboard)
    return found
