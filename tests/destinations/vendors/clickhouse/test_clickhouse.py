"""An insert says by which token a repeated one is known, and whose fault an error is."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.destinations.samples import SALE, sales
from tests.support.vendor import Vendor, reply
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.spec.rows import COLUMNS
from tracking.destinations.transport.http import Client
from tracking.destinations.vendors.clickhouse.config import DDL, ClickHouseConfig
from tracking.destinations.vendors.clickhouse.destination import ClickHouse
from tracking.exceptions import PermanentError, RetryableError, SetupError


def make(url: str = "https://ch.example:8443", **config: Any) -> ClickHouse:
    return ClickHouse({"url": url, "user": "loader", "password": "password-secret", **config})


def fail(destination: ClickHouse) -> Exception:
    async def run() -> None:
        async with Client() as client:
            await destination.deliver([SALE], client)

    with pytest.raises((PermanentError, RetryableError, SetupError)) as caught:
        asyncio.run(run())
    return caught.value


def query_of(destination: ClickHouse, count: int) -> dict[str, list[str]]:
    return parse_qs(urlsplit(destination.request(sales(count)).url).query)


def test_the_same_batch_has_the_same_token() -> None:
    (token,) = query_of(make(), 3)["insert_deduplication_token"]
    assert query_of(make(), 3)["insert_deduplication_token"] == [token]
    assert query_of(make(), 4)["insert_deduplication_token"] != [token]
    assert query_of(make(), 3)["async_insert"] == ["0"]


def test_the_insert_names_its_columns_and_its_rows_have_them() -> None:
    (query,) = query_of(make(database="shop"), 1)["query"]
    assert query == f"INSERT INTO `shop`.`hits` ({', '.join(COLUMNS)}) FORMAT JSONEachRow"
    found = json.loads(make().request([SALE]).body)
    assert list(found) == list(COLUMNS)
    assert json.loads(found["payload"]) == SALE.payload
    for name in COLUMNS:
        assert f"{name} " in DDL


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "27", PermanentError),
        (400, "117", SetupError),
        (403, "516", SetupError),
        (404, "60", SetupError),
        (500, "497", SetupError),
        (500, "241", RetryableError),
        (500, "252", RetryableError),
    ],
)
def test_clickhouse_s_code_says_whose_fault_it_is(
    vendor: Vendor, status: int, code: str, error: type[Exception]
) -> None:
    vendor.answer = reply(status, b"Code: " + code.encode(), X_ClickHouse_Exception_Code=code)
    assert type(fail(make(vendor.url))) is error


def test_verify_names_missing_columns_and_inserts_nothing(vendor: Vendor) -> None:
    vendor.answer = reply(200, b"id\tUUID\nhit_id\tString\n")
    verdict = check_connection(make(vendor.url))
    assert not verdict.works
    assert "lacks the columns type, name" in verdict.message
    (asked,) = vendor.received
    assert "DESCRIBE+TABLE" in asked.line
    assert "INSERT" not in asked.line


@pytest.mark.parametrize("name", ["hits`; DROP", "a.b", "1a", "ü"])
def test_a_name_that_would_need_quotes_is_refused(name: str) -> None:
    form = ClickHouseConfig({"url": "https://ch.example", "table": name, "database": name})
    assert {"table", "database"} <= form.errors.keys()
