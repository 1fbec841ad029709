"""The document at /api/schema: valid, complete, and true to the code."""

import ast
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.openapi import elsewhere
from tests.support.hits import Send
from tests.support.sample import SEED
from tracking.ingest.errors import IngestError
from tracking.ingest.routes import ROUTES
from tracking.ingest.wsgi import BrokenRequest
from tracking.models import Hit, Token
from tracking.openapi import samples
from tracking.openapi.answers import REFUSALS
from tracking.openapi.views import CompactJson, Documents

ROOT = Path(__file__).resolve().parents[2]
WHERE_CODES_ARE = [*ROOT.glob("tracking/ingest/**/*.py"), *ROOT.glob("tracking/server/front/*.py")]


def test_it_is_valid_and_nothing_is_guessed(document: Any) -> None:
    validate_schema(document)
    assert document["openapi"].startswith("3.1")
    assert not GENERATOR_STATS


def test_the_command_prints_the_same(document: Any, tmp_path: Path) -> None:
    printed = tmp_path / "schema.json"
    call_command(
        "spectacular", "--format", "openapi-json", "--file", str(printed), "--fail-on-warn"
    )
    assert json.loads(printed.read_bytes()) == document


def test_yaml_is_served_to_who_asks_for_it() -> None:
    answer = Client().get("/api/schema", headers={"accept": "application/yaml"})
    assert answer["content-type"].startswith("application/yaml")
    assert answer.content.startswith(b"openapi: 3.1")


@pytest.mark.urls("tests.openapi.elsewhere")
def test_in_another_project_it_is_of_our_routes_alone_below_their_prefix() -> None:
    document = Client().get("/reference/schema").json()
    validate_schema(document)
    assert "/hits/track" in document["paths"]
    assert all(path.startswith("/hits/") for path in document["paths"])
    assert 'data-schema="/reference/schema"' in Client().get("/reference/docs").text


def test_the_projects_own_document_is_of_its_own_routes_alone() -> None:
    theirs = SchemaGenerator(patterns=elsewhere.urlpatterns[:2]).get_schema(public=True)
    assert list(theirs["paths"]) == ["/own"]


def errors_of_ours(of: type[IngestError] = IngestError) -> Iterator[str]:
    yield of.__name__
    for each in of.__subclasses__():
        yield from errors_of_ours(each)


def codes_in(source: str) -> Iterator[str]:
    """The codes that errors are raised with, those that are an error's own, and those that are
    answered without one."""
    names = {*errors_of_ours(), BrokenRequest.__name__}
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(str(code)), *_]):
                if name in names:
                    yield code
            case (
                ast.Call(func=ast.Attribute(attr="__init__"), args=[ast.Constant(str(code)), *_])
                | ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(str(code)))
            ):
                yield code
            case ast.Dict(keys=[ast.Constant("code"), *_], values=[ast.Constant(str(code)), *_]):
                yield code


def test_the_codes_are_those_that_the_code_can_raise() -> None:
    found = {text for path in WHERE_CODES_ARE for text in codes_in(path.read_text())}
    raised = {code for code in found if re.fullmatch(r"[a-z]+(_[a-z]+)*", code)}
    assert set(REFUSALS) == raised | {"method_not_allowed"}  # REST framework's own.


def test_the_sample_is_the_documented_one() -> None:
    assert samples.HIT == SEED


def test_every_route_is_described(document: Any) -> None:
    routes = {
        ("/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route.path), method)
        for route in ROUTES
        for method in route.view.http_method_names
        if method not in {"options", "head"}
    }
    described = {
        (path, method) for path, methods in document["paths"].items() for method in methods
    }
    assert described == routes


def examples(document: Any) -> Iterator[tuple[str, str, Any]]:
    """The path, the content type and the value of each body that is shown."""
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for kind, media in operation.get("requestBody", {"content": {}})["content"].items():
                for example in media["examples"].values():
                    yield path, kind, example["value"]


@pytest.mark.django_db(transaction=True)
def test_every_example_is_taken(document: Any, send: Send, token: Token) -> None:
    for path, kind, example in examples(document):
        at = path.replace("{path}", token.path)
        if path == "/collect":
            example["projectId"] = str(token.project_id)
        hit = example.encode() if isinstance(example, str) else example
        answer = send(hit, path=at, content_type=kind)
        assert answer.status_code in {200, 204}, (path, answer.content)
        assert b"refused" not in answer.content or answer.json()["refused"] == 0
    shown = {each.hit_id for each in Hit.objects.all()}
    assert {samples.HIT["hitId"], samples.COLLECTED["hitId"], samples.WHO["messageId"]} <= shown


@pytest.mark.django_db(transaction=True)
def test_the_pixels_example_is_taken(document: Any, token: Token) -> None:
    (data,) = document["paths"]["/v1/pixel/track"]["get"]["parameters"]
    asked = {"data": data["example"], "writeKey": str(token.project_id)}
    answer = Client().get("/v1/pixel/track", asked)
    assert (answer.status_code, answer["content-type"]) == (200, "image/gif")
    assert Hit.objects.get().name == "Mail Opened"


def test_the_document_is_made_once_a_process() -> None:
    """Making it takes the interpreter from every hit for a third of a second."""
    fresh = Documents()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: fresh.get(CompactJson, "/track"), range(16)))
    assert len({id(each) for each in made}) == 1
    answer = Client().get("/api/schema")
    began = time.process_time()
    for _ in range(20):
        assert Client().get("/api/schema").content == answer.content
    assert time.process_time() - began < 1
    unchanged = Client().get("/api/schema", headers={"if-none-match": answer["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
