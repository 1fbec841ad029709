"""ClickHouse: hits as rows of a table, over its HTTP interface.

Source: the ClickHouse documentation (https://clickhouse.com/docs), pages "HTTP Interface" (headers
X-ClickHouse-User, X-ClickHouse-Key and X-ClickHouse-Exception-Code; settings in the query), "Format
JSONEachRow", "insert_deduplication_token", "Deduplicating inserts on retries" and
"ReplacingMergeTree"; src/Common/ErrorCodes.cpp and src/Server/HTTP/exceptionCodeToHTTPStatus.cpp in
ClickHouse/ClickHouse for the codes. The documentation advises batches of up to 100,000 rows and
states no limit.

ClickHouse ignores an identical batch because of its token. A retry may group hits differently: the
table's engine merges rows with the same day and id, and FINAL shows one of them before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.hit_json import batch_id
from tracking.destinations.spec.rows import COLUMNS, row
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.clickhouse.config import ClickHouseConfig
from tracking.events import Event
from tracking.exceptions import SetupError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client, Response

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


class ClickHouse(Destination):
    """ClickHouse: one INSERT per batch. The column `payload` is JSON as text."""

    slug = "clickhouse"
    label = "ClickHouse"
    category = "storage"
    summary = gettext_lazy("Rows in a table of ClickHouse, as hits arrive.")
    docs_url = "https://clickhouse.com/docs/interfaces/http"
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
        """Read the table's columns, which every user with the INSERT privilege may see."""
        query = f"DESCRIBE TABLE {self._table} FORMAT TabSeparated"
        response = await self.ask(client, self._query(query, b"", {}))
        columns = {
            line.split("\t")[0] for line in response.body.decode(errors="replace").split("\n")
        }
        missing = [name for name in COLUMNS if name not in columns]
        if missing:
            raise SetupError(
                _("The table %(table)s lacks the columns %(columns)s.")
                % {"table": self._table, "columns": ", ".join(missing)},
                exchange=response.exchange,
            )
        return _("The table %(table)s has every column.") % {"table": self._table}

    async def ask(self, client: Client, request: Request) -> Response:
        """Send the request. Configuration errors come with any status and a code of ClickHouse's
        own."""
        response = await self.send(client, request)
        code = response.headers.get("X-ClickHouse-Exception-Code")
        if code in SETUP_CODES:
            message = response.sentence("ClickHouse refused the request")
            raise SetupError(message, exchange=response.exchange)
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
