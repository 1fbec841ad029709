"""Numbers, durations and results on the pages."""

from datetime import timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone

from tracking.models import Attempt
from tracking.templatetags import humanise


def shown(expression: str, **context: object) -> str:
    return Template(f"{{% load humanise %}}{{{{ {expression} }}}}").render(Context(context))


@pytest.mark.parametrize(
    ("value", "text"), [(None, "0"), (0, "0"), (999, "999"), (31184, "31,184"), (-1421, "-1,421")]
)
def test_numbers_have_separators(value: int | None, text: str) -> None:
    assert shown("value|number", value=value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.04, "0.0"), (9.94, "9.9"), (10.4, "10"), (1234.0, "1,234")]
)
def test_small_rates_have_a_decimal(value: float, text: str) -> None:
    assert shown("value|rate", value=value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, humanise.NONE),
        (0.0123, "12 ms"),
        (4.092, "4.09 s"),
        (90, "1.5 min"),
        (5400, "1.5 h"),
        (129_600, "1.5 d"),
    ],
)
def test_durations_have_the_unit_that_fits(value: float | None, text: str) -> None:
    assert shown("value|seconds", value=value) == text


def test_ages() -> None:
    assert shown("value|age", value=None) == humanise.NONE
    assert shown("value|age", value=timezone.now() - timedelta(minutes=90)) == "1.5 h"
    assert shown("value|naturaltime", value=timezone.now() - timedelta(hours=3)) == "3\xa0hours ago"


@pytest.mark.parametrize(
    ("attempt", "text"),
    [
        (Attempt(status=503, code="retryable"), "HTTP 503"),
        (Attempt(code="retryable", message="vendor.example timed out after 10 s."), "Timeout"),
        (Attempt(code="retryable", message="Connection refused"), "Retryable"),
        (Attempt(), "Request"),
    ],
)
def test_the_result_of_an_attempt(attempt: Attempt, text: str) -> None:
    assert humanise.result(attempt) == text


def test_backticks_are_code_and_the_rest_is_escaped() -> None:
    assert shown("value|code", value="Set `A=1` & `B`") == (
        "Set <code>A=1</code> &amp; <code>B</code>"
    )
    assert shown("value|code", value="a `lone` tick ` stays") == (
        "a <code>lone</code> tick ` stays"
    )
