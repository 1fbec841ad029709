"""BigQuery: hits as rows of a table, streamed.

Source: Google's pages "Method: tabledata.insertAll"
(https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll: insertId,
skipInvalidRows, insertErrors), "Method: tables.insert", "Quotas and limits", section "Streaming
inserts" (10 MB per request, 500 rows recommended) and "Using OAuth 2.0 for Server to Server
Applications", section "HTTP/REST"; "Error messages" (an exceeded quota is a 403 as well). A value
of type JSON is sent as text (python-bigquery, google/cloud/bigquery/_helpers.py, _json_to_json).

The columns are those of SegmentStream's table of hits, with JSON in place of records. BigQuery
recognises a duplicate insertId for about one minute; after that `hitId` identifies duplicates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.google_auth import TokenSource
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.bigquery.config import BigQueryConfig
from tracking.destinations.vendors.bigquery.rows import describe
from tracking.events import Event, Receipt
from tracking.exceptions import PermanentError, RetryableError, SetupError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client, Response

SCOPE = "https://www.googleapis.com/auth/bigquery"
SCHEMA = {
    "event": "JSON",
    "user": "JSON",
    "context": "JSON",
    "hitId": "STRING",
    "sentAt": "TIMESTAMP",
    "receivedAt": "TIMESTAMP",
}
#: Seconds until a new table accepts rows.
MADE_SECONDS = 60.0
QUOTAS = (b"rateLimitExceeded", b"quotaExceeded")
#: The reason for a valid row that was left out because of another row.
STOPPED = "stopped"


class BigQuery(Destination):
    """BigQuery: one insertAll per batch. The access token is not part of `request`."""

    slug = "bigquery"
    label = "BigQuery"
    category = "storage"
    summary = gettext_lazy("Rows in a table of Google BigQuery, as hits arrive.")
    docs_url = "https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll"
    aliases = ("Google BigQuery",)
    Config = BigQueryConfig

    idempotency = "insertId"
    max_batch = 500
    max_bytes = 9_000_000
    hosts = {  # noqa: RUF012 (Destination's own)
        "": "https://bigquery.googleapis.com",
        "token": "https://oauth2.googleapis.com",
    }

    @property
    def timeout(self) -> float:
        return 20.0

    def request(self, events: Sequence[Event]) -> Request:
        rows = [{"insertId": str(event.id), "json": describe(event)} for event in events]
        return self._call(
            "POST", f"{self._table}/insertAll", {"skipInvalidRows": True, "rows": rows}
        )

    def receipt(self, events: Sequence[Event], response: Response) -> Receipt:
        """Return the rows with errors as refused; invalid rows are skipped, so the others are
        stored.

        Raises PermanentError if the response is cut off and names rows that cannot be read.
        """
        try:
            rows = _errors_by_row(response.body)
        except (ValueError, TypeError, AttributeError):
            message = "The response of BigQuery is not valid."
            raise PermanentError(message, exchange=response.exchange) from None
        refused = {}
        for index, errors in rows:
            if 0 <= index < len(events):
                refused[events[index].id] = _words(errors)
                if any(error.get("reason") == STOPPED for error in errors):
                    raise RetryableError(
                        "BigQuery stopped at another row.", exchange=response.exchange
                    )
        return Receipt(exchange=response.exchange, refused=refused)

    async def deliver(self, events: Sequence[Event], client: Client) -> Receipt:
        response = await self._send(client, self.request(events))
        if response.status == 404 and b"Not found: Table" in response.body:
            await self._make(client)
            raise RetryableError(
                "The table was missing and has been created. It accepts rows soon.",
                exchange=response.exchange,
                retry_after=MADE_SECONDS,
            )
        if response.status == 403 and any(each in response.body for each in QUOTAS):
            raise RetryableError("The quota of BigQuery is exhausted.", exchange=response.exchange)
        response.raise_for_status()
        return self.receipt(events, response)

    async def verify(self, client: Client) -> str:
        """Read the columns of the table."""
        response = await self._send(client, self._call("GET", self._table))
        if response.status == 404 and b"Not found: Table" in response.body:
            return _("The dataset exists. The table is created with the first hit.")
        response.raise_for_status()
        missing = [name for name in SCHEMA if name not in _columns(response.body)]
        if missing:
            raise SetupError(
                _("The table lacks the columns %(columns)s.") % {"columns": ", ".join(missing)},
                exchange=response.exchange,
            )
        return _("The table exists and has every column.")

    @property
    def _dataset(self) -> str:
        return f"/bigquery/v2/projects/{quote(self.config['project'])}/datasets/" + quote(
            self.config["dataset"]
        )

    @property
    def _table(self) -> str:
        return f"{self._dataset}/tables/{quote(self.config.get('table') or 'hits')}"

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Request:
        return Request(
            method=method,
            url=self.host + path,
            body=msgspec.json.encode(body) if body else b"",
            headers={"Content-Type": "application/json"},
            secrets=self.secrets,
        )

    async def _send(self, client: Client, request: Request) -> Response:
        tokens = TokenSource(self.config["service_account"], self.hosts["token"], SCOPE)
        return await tokens.send(client, request, timeout=self.timeout)

    async def _make(self, client: Client) -> None:
        reference = {
            "projectId": self.config["project"],
            "datasetId": self.config["dataset"],
            "tableId": self.config.get("table") or "hits",
        }
        table = {
            "tableReference": reference,
            "schema": {"fields": [{"name": name, "type": type} for name, type in SCHEMA.items()]},
            "timePartitioning": {"type": "DAY", "field": "receivedAt"},
        }
        response = await self._send(client, self._call("POST", f"{self._dataset}/tables", table))
        if response.status != 409:
            response.raise_for_status()


def _errors_by_row(body: bytes) -> list[tuple[int, list[dict[str, Any]]]]:
    """Return indexes and errors of {"insertErrors": [{"index": 0, "errors": [{"reason": …,
    "message": …}]}]}. Raises ValueError, TypeError or AttributeError for any other response."""
    rows = msgspec.json.decode(body).get("insertErrors") or []
    return [(int(each.get("index", 0)), list(each.get("errors") or [])) for each in rows]


def _words(errors: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(
        f"{each.get('reason')} {each.get('location') or ''}: {each.get('message')}"
        for each in errors
    )


def _columns(body: bytes) -> set[str]:
    try:
        return {field["name"] for field in msgspec.json.decode(body)["schema"]["fields"]}
    except (ValueError, TypeError, KeyError):
        return set()
