"""The site's navigation, its generated settings, and what the guides promise of the code."""

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from docs.generate import (
    commands,
    destinations,
    environment,
    http_api,
    metrics,
    settings,
    tasks,
)
from docs.generate.pages import GENERATED, ROOT, places
from docs.hooks import foreign
from tests.docs.markdown import pages
from tracking.beat import SCHEDULE
from tracking.destinations.contract import registry
from tracking.metrics.figures import figures
from tracking.models.alerts.rule import AlertKind
from tracking.server.celery import app

#: Read by the tests, and by the example of a host project's settings.
OF_TESTS = {"HITSTREAM_GOLDEN", "HITSTREAM_SCREENSHOTS", "HITSTREAM_SECRET_KEY"}
#: Read by Docker Compose and Caddy, in deploy/.
OF_DEPLOY = {"HITSTREAM_HOST", "HITSTREAM_TLS"}


class Loader(yaml.SafeLoader):
    """mkdocs.yml names a function of Python; its value does not matter here."""


Loader.add_multi_constructor("tag:yaml.org,2002:python/name:", lambda *args: None)


def named(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, list):
        for each in nav:
            yield from named(each)
    else:
        for each in nav.values():
            yield from named(each)


def test_the_navigation_has_every_page_once() -> None:
    config = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader)
    assert sorted(named(config["nav"])) == sorted([*places().values(), *GENERATED])


def test_every_environment_variable_of_the_project_is_described() -> None:
    described = [name for group in environment.VARIABLES.values() for name in group]
    assert sorted(described) == sorted(settings.names_in_code())


def test_every_setting_of_the_app_is_on_its_page() -> None:
    names = {setting.name for setting in settings.read_settings()}
    assert {"DEDUP_WINDOW", "HIT_DAYS", "CONCURRENCY"} <= names
    page = settings.write()
    assert all(f"| `{name}` |" in page for name in names)


def test_every_command_is_on_its_page_with_its_options() -> None:
    page = commands.write()
    names = {path.stem for path in (ROOT / "tracking/management/commands").glob("[a-z]*.py")}
    assert set(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == names
    assert "`--dry-run`" in page
    assert "--settings SETTINGS" not in page


def test_every_destination_is_on_its_page_with_its_fields() -> None:
    page = destinations.write()
    for destination in registry.all_destinations():
        assert f"## {destination.label}\n" in page
        assert all(f"| `{name}` |" in page for name in destination.Config.base_fields)


def test_every_route_and_schema_is_on_the_page_of_the_api() -> None:
    document = http_api.read_document()
    page = http_api.write(document)
    headings = re.findall(r"^### (.*)$", page, re.MULTILINE)
    operations = [
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    ]
    assert sorted(headings) == sorted([*operations, *document["components"]["schemas"]])
    assert "`user_required`" in page


@pytest.mark.django_db
def test_every_metric_is_on_its_page_with_its_labels() -> None:
    page = metrics.write()
    for family in figures():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert f"| `{name}` | {family.type} |" in page
    assert "| `token`, `result`, `reason` |" in page


def test_every_task_is_on_its_page_with_its_interval() -> None:
    page = tasks.write()
    for each in app.conf.beat_schedule.values():
        assert f"| `{each['task']}` | {each['schedule']:,.0f} s |" in page


def test_the_schedule_for_a_project_has_every_task_that_the_deployment_runs() -> None:
    every = {name for name in tasks.tasks() if "." in name}
    assert {each["task"] for each in SCHEDULE.values()} <= every
    assert app.conf.beat_schedule == SCHEDULE


def test_every_command_that_a_page_names_exists() -> None:
    named = {
        name
        for page in pages()
        for name in re.findall(r"manage\.py ([a-z]\w+)", page.read_text(encoding="utf-8"))
    }
    assert named > {"replay", "import_hits"}
    assert named - set(get_commands()) == set()


def test_every_variable_that_a_page_names_exists() -> None:
    named = {
        name
        for page in pages()
        for name in re.findall(r"\bHITSTREAM_[A-Z_]+", page.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert named - settings.names_in_code() == OF_TESTS | OF_DEPLOY


def test_every_example_in_python_can_be_parsed() -> None:
    found = [
        textwrap.dedent(code)
        for page in pages()
        for code in re.findall(
            r"^ *```python\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
    ]
    assert len(found) > 5
    for code in found:
        ast.parse(code)


def test_what_a_page_loads_from_another_host_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "fine.html").write_text(
        '<link rel="canonical" href="https://example.com/"><a href="https://example.com/">x</a>'
        '<script src="assets/x.js"></script><img src="images/home.png">'
    )
    assert foreign(tmp_path) == set()
    (tmp_path / "page.html").write_text(
        '<link rel="stylesheet" href="https://a.example/x.css"><script src="//b.example/x.js">'
        "</script><style>@font-face { src: url(https://c.example/x.woff2) }</style>"
    )
    assert {line.split("//")[1].split("/")[0] for line in foreign(tmp_path)} == {
        *("a.example", "b.example", "c.example")
    }


def test_the_runbook_has_a_chapter_for_each_kind_of_alert() -> None:
    text = (ROOT / "docs/how-to/runbook.md").read_text()
    chapters = re.findall(r"^## (.+) \(`(\w+)`\)$", text, re.MULTILINE)
    assert sorted(chapters) == sorted((kind.label, kind.value) for kind in AlertKind)
