"""What libpq's errors mean that have no code, and codes that are one hit's fault."""

from __future__ import annotations

import psycopg
import pytest

from tracking.destinations.vendors.postgresql.destination import explain
from tracking.exceptions import PermanentError, RetryableError, SetupError


def test_a_connection_that_breaks_off_is_no_error_of_the_setup() -> None:
    for words in ("SSL SYSCALL error: EOF detected", "SSL connection has been closed unexpectedly"):
        assert isinstance(explain(psycopg.OperationalError(words)), RetryableError)
    refused = psycopg.OperationalError("server does not support SSL, but SSL was required")
    assert isinstance(explain(refused), SetupError)


@pytest.mark.parametrize(
    "fault",
    [
        psycopg.errors.RaiseException,
        psycopg.errors.ProgramLimitExceeded,
        psycopg.errors.WithCheckOptionViolation,
    ],
)
def test_what_a_table_s_own_rules_refuse_stops_no_other_hit(fault: type[psycopg.Error]) -> None:
    assert isinstance(explain(fault("no")), PermanentError)
