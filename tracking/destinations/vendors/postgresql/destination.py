"""PostgreSQL: hits as rows of a table in another database.

Source: the PostgreSQL documentation (https://www.postgresql.org/docs/current/), pages "COPY",
"INSERT" (ON CONFLICT DO NOTHING), "Database Connection Control Functions" (hostaddr, sslmode,
sslrootcert=system) and "PostgreSQL Error Codes"; psycopg's pages "Using COPY TO and COPY FROM".

The id is the table's primary key: a duplicate hit changes nothing.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from django.utils.translation import gettext_lazy
from psycopg import sql

from tracking.destinations.contract.destination import Destination
from tracking.destinations.contract.non_http import perform, relaying
from tracking.destinations.spec.rows import lines, row
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.postgresql.config import (
    DDL,
    RIGHTS,
    TYPES,
    PostgreSQLConfig,
    judge,
)
from tracking.events import Event, Receipt
from tracking.exceptions import DeliveryError, PermanentError, RetryableError, SetupError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 20
#: Bytes that the server may send during a batch: no row, only counts and notices.
ANSWER_BYTES = 4_000_000
#: libpq's messages for connections that cannot succeed later: libpq gives no codes here.
HOPELESS = re.compile(
    r"password|authentication|does not exist|pg_hba|certificate|not permitted|permission"
    r"|SSL(?! SYSCALL| connection has been closed)"
)
#: The first two characters of an SQLSTATE: errors of the hits, and errors that may pass. All others
#: are errors of the configuration. 44, 54 and P0 are the check of a view, a value that an index
#: cannot hold, and the refusal of a trigger.
PERMANENT = frozenset({"21", "22", "23", "44", "54", "P0"})
RETRYABLE = frozenset({"08", "25", "40", "53", "55", "57", "58", "XX"})


class PostgreSQL(Destination):
    """PostgreSQL: one COPY in one transaction per batch. `request` describes it."""

    slug = "postgresql"
    label = "PostgreSQL"
    category = "storage"
    summary = gettext_lazy("Rows in a table of a PostgreSQL database of yours.")
    docs_url = "https://www.postgresql.org/docs/current/sql-copy.html"
    aliases = ("Postgres",)
    Config = PostgreSQLConfig

    idempotency = "the primary key `id`"
    max_batch = 5_000
    max_bytes = 16_000_000
    speaks_http = False

    @property
    def batch_size(self) -> int:
        return min(int(self.config.get("batch_size", 500)), self.max_batch)

    @property
    def timeout(self) -> float:
        return 30.0

    def request(self, events: Sequence[Event]) -> Request:
        return Request(method="COPY", url=self._url, body=lines(events))

    async def deliver(self, events: Sequence[Event], client: Client) -> Receipt:
        request = self.request(events)
        return Receipt(exchange=await perform(self, request, self._copy(events), explain))

    async def verify(self, client: Client) -> str:
        """Connect and read the rights of the role."""
        verdicts: list[str] = []

        async def look() -> str:
            async with self._connect() as connection:
                name = self._table.as_string(connection)
                cursor = await connection.execute(RIGHTS, {"table": name, "schema": self._schema})
                row = await cursor.fetchone()
            verdicts.append(judge(*(row or (False, False, False, False)), table=name))
            return verdicts[0]

        request = Request(method="SELECT", url=self._url, body=RIGHTS.encode())
        await perform(self, request, look(), explain)
        return verdicts[0]

    @property
    def _schema(self) -> str:
        return str(self.config.get("schema") or "public")

    @property
    def _table(self) -> sql.Identifier:
        return sql.Identifier(self._schema, str(self.config.get("table") or "hits"))

    @property
    def _url(self) -> str:
        host, port = self.config["host"], self.config.get("port", 5432)
        place = f"[{host}]" if ":" in host else host
        path = f"{self.config['database']}/{self._schema}.{self.config.get('table') or 'hits'}"
        return f"postgresql://{place}:{port}/{path}"

    @contextlib.asynccontextmanager
    async def _connect(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Yield a connection through the relay. The certificate is that of the host's name."""
        host, port = self.config["host"], int(self.config.get("port", 5432))
        certificates = {"sslrootcert": "system"} if self.config["sslmode"] == "verify-full" else {}
        async with (
            relaying(ANSWER_BYTES, host, port) as relay,
            await self._open(relay.port, certificates) as connection,
        ):
            yield connection

    async def _open(self, port: int, certificates: dict[str, str]) -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(
            host=self.config["host"],
            hostaddr="127.0.0.1",
            port=port,
            dbname=self.config["database"],
            user=self.config["user"],
            password=self.config["password"],
            sslmode=self.config["sslmode"],
            gssencmode="disable",
            connect_timeout=CONNECT_SECONDS,
            application_name="Hitstream",
            prepare_threshold=None,
            **certificates,  # type: ignore[arg-type]
        )

    async def _copy(self, events: Sequence[Event]) -> str:
        async with self._connect() as connection:
            try:
                count = await self._insert(connection, events)
            except psycopg.errors.UndefinedTable:
                await connection.rollback()
                create = sql.SQL("CREATE TABLE IF NOT EXISTS {} (" + DDL + ")")
                await connection.execute(create.format(self._table))
                count = await self._insert(connection, events)
        return f"{len(events)} hits, {count} of them new"

    async def _insert(
        self, connection: psycopg.AsyncConnection[Any], events: Sequence[Event]
    ) -> int:
        """Insert the events and return the number of new rows."""
        names = sql.SQL(", ").join(sql.Identifier(name) for name in TYPES)
        async with connection.transaction(), connection.cursor() as cursor:
            await cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'")
            await cursor.execute(f"CREATE TEMPORARY TABLE incoming ({DDL}) ON COMMIT DROP")
            copy = sql.SQL("COPY pg_temp.incoming ({}) FROM STDIN").format(names)
            async with cursor.copy(copy) as target:
                for event in events:
                    await target.write_row(list(texts(event).values()))
            insert = "INSERT INTO {} ({}) SELECT {} FROM pg_temp.incoming ON CONFLICT DO NOTHING"
            await cursor.execute(sql.SQL(insert).format(self._table, names, names))
            return cursor.rowcount


def texts(event: Event) -> dict[str, str | None]:
    """Return the row in the form that COPY takes."""
    values = {k: None if v is None else str(v) for k, v in row(event).items() if k != "payload"}
    return {**values, "payload": msgspec.json.encode(event.payload).decode()}


def explain(fault: Exception) -> DeliveryError | None:
    if not isinstance(fault, psycopg.Error):
        return None
    message = " ".join(str(fault).split())
    kind = (fault.sqlstate or "")[:2]
    if isinstance(fault, psycopg.DataError) and not kind:
        # psycopg itself cannot write the value, for example a text with NUL.
        return PermanentError(message)
    if not kind:
        return SetupError(message) if HOPELESS.search(message) else RetryableError(message)
    if kind in PERMANENT:
        return PermanentError(message)
    return RetryableError(message) if kind in RETRYABLE else SetupError(message)
