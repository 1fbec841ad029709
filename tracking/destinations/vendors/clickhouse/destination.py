"""ClickHouse: hits as rows of a table, over its HTTP interface.

Source: the ClickHouse documentation (https://clickhouse.com/docs), pages "HTTP Interface" (headers
X-ClickHouse-User, X-ClickHouse-Key and X-ClickHouse-Exception-Code; settings in the query), "Format
JSONEachRow", "insert_deduplication_token", "Deduplicating inserts on retries" and
"ReplacingMergeTree"; src/Common/ErrorCodes.cpp and src/Server/HTTP/exceptionCodeToHTTPStatus.cpp in
ClickHouse/ClickHouse for the codes. A batch of up to 100,000 rows is advised there; no limit is
told.

The same batch again is left out by its token. A retry may group hits anew: the table's engine
merges rows of the same day and id into one, and FINAL sees one before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from django import forms

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.destination import Destination
from tracking.destinations.contract.form_fields import HttpUrlField
from tracking.destinations.spec.hit_json import batch_id
from tracking.destinations.spec.rows import COLUMNS, TIMES, row
from tracking.destinations.transport.request import Request
from tracking.events import Event
from tracking.exceptions import SetupError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client, Response

NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,100}$"
TYPES = {
    **dict.fromkeys(COLUMNS, "String"),
    **dict.fromkeys(TIMES, "DateTime64(6, 'UTC')"),
    "id": "UUID",
    "type": "LowCardinality(String)",
    "ip": "Nullable(String)",
}
DDL = (
    f"CREATE TABLE hits ({', '.join(f'{name} {type}' for name, type in TYPES.items())})"
    " ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(received_at)"
    " ORDER BY (toDate(received_at), id) SETTINGS non_replicated_deduplication_window = 1000"
)
SETTINGS = {
    "async_insert": "0",
    "insert_deduplicate": "1",
    "date_time_input_format": "best_effort",
    "input_format_skip_unknown_fields": "0",
    "wait_end_of_query": "1",
}
#: NO_SUCH_COLUMN_IN_TABLE, UNKNOWN_TABLE, UNKNOWN_DATABASE, INCORRECT_DATA (an unknown field),
#: UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, ACCESS_DENIED, AUTHENTICATION_FAILED.
SETUP_CODES = frozenset({"16", "60", "81", "117", "192", "193", "194", "497", "516"})


class ClickHouseConfig(ConfigForm):
    url = HttpUrlField(
        label="URL",
        help_text="The HTTP interface, such as https://clickhouse.example:8443. ClickHouse Cloud:"
        " your service, Connect, HTTPS.",
    )
    user = forms.CharField(
        max_length=200,
        required=False,
        initial="default",
        help_text="ClickHouse Cloud: in the same place. Else a user of CREATE USER or users.xml.",
    )
    password = SecretField(
        required=False,
        help_text="The user's password. ClickHouse Cloud: your service, Settings, Reset password.",
    )
    database = forms.RegexField(
        NAME, required=False, initial="default", help_text="The table's database; SHOW DATABASES"
    )
    table = forms.RegexField(
        NAME,
        required=False,
        initial="hits",
        help_text=f"Make it by {DDL} and GRANT INSERT on it to the user.",
    )
    batch_size = forms.IntegerField(
        label="Hits an insert",
        required=False,
        initial=1_000,
        min_value=1,
        max_value=10_000,
        help_text="At the most. ClickHouse likes few large inserts.",
    )


class ClickHouse(Destination):
    """One INSERT for each batch. In the table `payload` is JSON as text."""

    slug = "clickhouse"
    label = "ClickHouse"
    docs_url = "https://clickhouse.com/docs/interfaces/http"
    icon, colour = "Ch", "#8a7400"
    Config = ClickHouseConfig

    idempotency = "insert_deduplication_token, and `id` of each row"
    max_batch = 10_000
    max_bytes = 32_000_000

    @property
    def batch_size(self) -> int:
        return min(int(self.config.get("batch_size", 1_000)), self.max_batch)

    @property
    def timeout(self) -> float:
        return 30.0

    def request(self, events: Sequence[Event]) -> Request:
        insert = f"INSERT INTO {self._table} ({', '.join(COLUMNS)}) FORMAT JSONEachRow"
        token = {"insert_deduplication_token": batch_id(events)}
        return self._query(insert, b"".join(line(event) for event in events), SETTINGS | token)

    async def verify(self, client: Client) -> str:
        """Asks for the table's columns, which whoever may insert may see."""
        query = f"DESCRIBE TABLE {self._table} FORMAT TabSeparated"
        response = await self.ask(client, self._query(query, b"", {}))
        found = {line.split("\t")[0] for line in response.body.decode(errors="replace").split("\n")}
        missing = [name for name in COLUMNS if name not in found]
        if missing:
            raise SetupError(
                f"The table {self._table} lacks the columns {', '.join(missing)}.",
                exchange=response.exchange,
            )
        return f"The table {self._table} has every column."

    async def ask(self, client: Client, request: Request) -> Response:
        """What is wrong with the set-up may come as any status, with a code of ClickHouse's."""
        asked = replace(request, secrets=self.secrets)
        response = await client.send(asked, timeout=self.timeout)
        code = response.headers.get("X-ClickHouse-Exception-Code")
        if code in SETUP_CODES:
            words = " ".join(response.exchange.said.response_body.split())[:300]
            raise SetupError(f"ClickHouse refuses: {words}", exchange=response.exchange)
        response.raise_for_status()
        return response

    @property
    def _table(self) -> str:
        return (
            f"`{self.config.get('database') or 'default'}`.`{self.config.get('table') or 'hits'}`"
        )

    def _query(self, query: str, body: bytes, settings: dict[str, str]) -> Request:
        return Request(
            url=f"{self.config['url'].rstrip('/')}/?{urlencode({'query': query, **settings})}",
            body=body,
            headers={
                "Content-Type": "application/x-ndjson",
                "X-ClickHouse-User": self.config.get("user") or "default",
                "X-ClickHouse-Key": self.config.get("password") or "",
            },
            secret_headers=frozenset({"X-ClickHouse-Key"}),
        )


def line(event: Event) -> bytes:
    payload = msgspec.json.encode(event.payload).decode()
    return msgspec.json.encode({**row(event), "payload": payload}) + b"\n"
