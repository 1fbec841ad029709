"""The chart, rendered and linted by Helm's own engine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.debian import DEPLOY
from tests.deploy.site import documented

CHART = DEPLOY / "helm/hitstream"
#: Helm as a Python package, which needs no program and no cluster.
PACKAGE = "helm-python-sdk==0.2.2"
RENDER = """
import json, sys
from helm_python.chart import Chart, lint
values = json.loads(sys.argv[2])
report = lint(sys.argv[1], values, strict=True)
print(json.dumps({
    "lint": [each for each in report["messages"] if each["severity"] > 1],
    "rendered": Chart.load(sys.argv[1]).render(values, name="prod", namespace="hits"),
}))
"""
Render = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> Render:
    venv = tmp_path_factory.mktemp("helm") / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin/pip", "install", "--quiet", PACKAGE], check=True)

    def objects(**values: Any) -> list[dict[str, Any]]:
        done = subprocess.run(
            [venv / "bin/python", "-c", RENDER, CHART, json.dumps(values)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ValueError(done.stderr)
        answer = json.loads(done.stdout)
        assert answer["lint"] == []
        texts = [text for name, text in answer["rendered"].items() if name.endswith(".yaml")]
        return [each for text in texts for each in yaml.safe_load_all(text) if each]

    return objects


def of(found: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (one,) = (each for each in found if each["kind"] == kind and each["metadata"]["name"] == name)
    return one


def pod(of: dict[str, Any]) -> dict[str, Any]:
    spec = of["spec"]
    found: dict[str, Any] = (spec.get("jobTemplate", {}).get("spec", spec))["template"]["spec"]
    return found


def test_the_chart_has_everything_and_nothing_twice(render: Render) -> None:
    found = render()
    assert sorted((each["kind"], each["metadata"]["name"]) for each in found) == [
        ("CronJob", "prod-hitstream-sweep"),
        ("Deployment", "prod-hitstream-beat"),
        ("Deployment", "prod-hitstream-web"),
        ("Deployment", "prod-hitstream-worker"),
        ("Ingress", "prod-hitstream"),
        ("Job", "prod-hitstream-migrate"),
        ("PodDisruptionBudget", "prod-hitstream-web"),
        ("Service", "prod-hitstream"),
    ]
    hook = of(found, "Job", "prod-hitstream-migrate")["metadata"]["annotations"]
    assert hook["helm.sh/hook"] == "pre-install,pre-upgrade"


def test_every_pod_runs_a_documented_command_without_privileges(render: Render) -> None:
    found = render()
    pods = [
        pod(each) for each in found if "template" in each["spec"] or "jobTemplate" in each["spec"]
    ]
    assert len(pods) == 5
    for each in pods:
        (container,) = each["containers"]
        assert each["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["image"] == "hitstream:0.1.0"
        name = container["args"][0]
        if name != "manage":
            assert documented({"migrate": "database"}.get(name, name))[0] == name
    web = pod(of(found, "Deployment", "prod-hitstream-web"))["containers"][0]
    assert web["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert web["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_secrets_are_files_and_the_owners_url_is_the_owners_alone(render: Render) -> None:
    found = render()
    owners = {"prod-hitstream-migrate": "Job", "prod-hitstream-sweep": "CronJob"}
    for each in found:
        if each["kind"] in {"Deployment", "Job", "CronJob"}:
            volumes = {volume["name"]: volume for volume in pod(each)["volumes"]}
            expected = "hitstream-owner" if each["metadata"]["name"] in owners else "hitstream"
            assert volumes["database"]["secret"]["secretName"] == expected
            assert volumes["secrets"]["secret"]["secretName"] == "hitstream"
            for variable in pod(each)["containers"][0]["env"]:
                if variable["name"].endswith("_FILE"):
                    assert variable["value"].startswith("/run/secrets/")


def test_a_selector_finds_its_own_pods_alone(render: Render) -> None:
    found = render()
    labels = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in found
        if each["kind"] == "Deployment"
    }
    selector = of(found, "Service", "prod-hitstream")["spec"]["selector"]
    chosen = [name for name, has in labels.items() if selector.items() <= has.items()]
    assert chosen == ["prod-hitstream-web"]


def test_what_is_optional(render: Render) -> None:
    found = render(
        web={"autoscaling": {"enabled": True}, "disruptionBudget": False},
        ingress={"enabled": False},
        secrets={"metricsToken": True},
        env={"HITSTREAM_HIT_DAYS": "90"},
    )
    kinds = {each["kind"] for each in found}
    assert "HorizontalPodAutoscaler" in kinds
    assert not {"Ingress", "PodDisruptionBudget"} & kinds
    web = of(found, "Deployment", "prod-hitstream-web")
    assert "replicas" not in web["spec"]
    env = {each["name"]: each["value"] for each in pod(web)["containers"][0]["env"]}
    assert env["HITSTREAM_HIT_DAYS"] == "90"
    assert env["HITSTREAM_METRICS_TOKEN_FILE"] == "/run/secrets/hitstream/metrics_token"


def test_a_wrong_value_is_refused(render: Render) -> None:
    with pytest.raises(ValueError, match="replicas"):
        render(web={"replicas": "two"})


def test_the_beat_is_one(render: Render) -> None:
    assert of(render(), "Deployment", "prod-hitstream-beat")["spec"]["replicas"] == 1


def test_the_chart_and_the_package_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = (Path(CHART).parents[2] / "pyproject.toml").read_text()
    assert f'version = "{chart["appVersion"]}"' in project
