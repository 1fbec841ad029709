"""The document held against the server by a machine: valid and invalid requests of every operation,
with the token and without, as many as it can think of in bounds."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pytest_django.plugin import DjangoDbBlocker
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import load_all_checks
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi import checks

from tests.support.hits import basic, hit
from tests.support.reset import clear
from tests.support.sizes import examples
from tracking.models import Hit, Token
from tracking.models.tokens.api_token import ApiToken
from tracking.server.wsgi import application

pytestmark = [
    pytest.mark.django_db,
    # Schemathesis draws its own random texts.
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),
]

load_all_checks()
schemathesis.openapi.media_type(
    "application/x-ndjson",
    st.lists(st.builds(hit, hitId=st.text(max_size=255)), min_size=1, max_size=5).map(
        lambda hits: "\n".join(map(json.dumps, hits)).encode()
    ),
)
schema = schemathesis.openapi.from_wsgi("/api/schema", application)
bounded = settings(
    max_examples=examples(20),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
SITE = "https://shop.example"


@pytest.fixture(scope="module")
def issued(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[Token, ApiToken]]:
    """One for all operations."""
    with django_db_blocker.unblock():
        yield Token.objects.issue("shop")
        clear()


@pytest.fixture(autouse=True)
def _metrics(settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "METRICS_TOKEN": "nobody knows it"}


def browsers_may_read_it(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Every answer, whatever else is wrong with the request; of a probe none."""
    if case.path in PROBES:
        assert not [name for name in response.headers if name.startswith("access-control")]
        return
    assert response.headers["access-control-allow-origin"] == [SITE]
    assert "Origin" in response.headers["vary"][0]


def all_are_told_of(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """A batch that was read is answered for each of its hits."""
    body = response.json() if case.path == "/track/batch" and response.content else {}
    if "results" in body:
        assert [each["index"] for each in body["results"]] == [*range(len(body["results"]))]
        assert body["stored"] + body["duplicate"] + body["refused"] == len(body["results"])


#: Who may send is asked below: here several schemes may name the token at once.
NOT_HERE = [checks.ignored_auth]
PROBES = ("/healthz", "/readyz", "/metrics")
#: A bad hit never costs the others.
BATCHES = ("/track/batch", "/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch")
#: No token is asked for.
FOR_ALL = ("/v1/m", "/t.js", "/f/{path}.js", "/healthz", "/readyz")


def not_for(path: str) -> list[Any]:
    if path in BATCHES:
        return [*NOT_HERE, checks.negative_data_rejection]
    if path.startswith("/v1/pixel/"):
        # OpenAPI cannot say what the base64 has to hold.
        return [*NOT_HERE, checks.positive_data_acceptance]
    return NOT_HERE


def name_the_token(case: Case[Any], token: Token) -> None:
    """By its public names, wherever the case has a well-formed one."""
    public = str(token.project_id)
    for name in case.path_parameters or ():
        case.path_parameters[name] = {"path": token.path, "key": public}[name]
    if case.path.startswith("/v1/pixel/"):
        case.query["writeKey"] = public
    body = case.body if isinstance(case.body, dict) else {}
    if case.path == "/collect" and len(str(body.get("projectId"))) == len(public):
        case.body = {**body, "projectId": public}


def is_negative(case: Case[Any], location: ParameterLocation | None = None) -> bool:
    """Whether the case is made to be refused, for what is there if a location is given."""
    assert case.meta is not None
    part = case.meta.components.get(location) if location else case.meta.generation
    return part is not None and part.mode is GenerationMode.NEGATIVE


def the_server_does_what_the_document_says(case: Case[Any], token: Token, secret: ApiToken) -> None:
    if is_negative(case, ParameterLocation.PATH):
        return  # That is no route of ours.
    if not is_negative(case) and case.path not in FOR_ALL:
        refuse_a_stranger(case)
    name_the_token(case, token)
    case.call_and_validate(
        headers={"Authorization": basic(secret), "Origin": SITE},
        additional_checks=[browsers_may_read_it, all_are_told_of],
        excluded_checks=not_for(case.path),
    )


def refuse_a_stranger(case: Case[Any]) -> None:
    """Whatever the case names a token by is made up: nothing is stored."""
    before = Hit.objects.count()
    answer = case.call(headers={"Origin": SITE})
    conform = [checks.status_code_conformance, checks.response_schema_conformance]
    case.validate_response(answer, conform)
    assert answer.status_code in {400, 401, 404}
    assert Hit.objects.count() == before


def a_test_of(operation: Any) -> Any:
    """Schemathesis thinks of the requests when the test runs: each process collects every test."""

    def test(token: Token, secret: ApiToken) -> None:
        @bounded
        def holds(case: Case[Any]) -> None:
            the_server_does_what_the_document_says(case, token, secret)

        build_operation_test(
            config=schema.config,
            operation=operation,
            test_func=holds,
            given_kwargs={},
            feedback=FeedbackSources(),
        )()

    return test


for found in schema.get_all_operations():
    assert isinstance(found, Ok), found
    operation = found.ok()
    name = re.sub(r"\W+", "_", f"test_{operation.method}{operation.path}").rstrip("_").lower()
    globals()[name] = a_test_of(operation)
