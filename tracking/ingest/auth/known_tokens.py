"""The known tokens in a file of the spool, for the time when Postgres is away.

In: all usable tokens, copied every few seconds by the spool's keeper: what a look-up returns, with
digests and never with secrets. Out: the TokenAccess of a key. A process that starts while Postgres
is away reads them, too.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from tracking.connection import OwnConnection
from tracking.ingest.errors import Unavailable
from tracking.ingest.write.spool import keeper, spool
from tracking.ingest.write.spool.folder import Folder
from tracking.ingest.write.spool.segment import sync_folder

logger = logging.getLogger(__name__)

Access = TypeVar("Access")

NAME = "tokens.json"
#: Seconds after which the file is not trusted: a token may have been revoked since.
TRUSTED = 86_400.0
#: Seconds between two looks at the file.
LOOK_EVERY = 1.0


class KnownToken(msgspec.Struct, array_like=True):
    """A usable token as the statement `known` returns it."""

    expires_at: datetime | None
    retiring_until: datetime | None
    token_id: int
    rate_limit: int | None
    ip_policy: str
    origins: list[str]
    project_id: UUID
    path: str
    integrations: int
    digest: bytes
    retiring_digest: bytes | None

    def columns(self, now: datetime) -> tuple[Any, ...] | None:
        """Return what `look_up` returns for the token at this time; None once it has expired."""
        if self.expires_at is not None and self.expires_at <= now:
            return None
        retires = self.retiring_until is not None and self.retiring_until > now
        return (
            self.token_id,
            self.rate_limit,
            self.ip_policy,
            self.origins,
            self.project_id,
            self.path,
            self.integrations,
            self.digest,
            self.retiring_digest if retires else None,
        )


class KnownTokens(Generic[Access]):
    """`open_row` returns every key of a row of `look_up`, with what it opens."""

    def __init__(
        self, statement: str, open_row: Callable[..., Iterable[tuple[bytes, Access]]]
    ) -> None:
        self._statement = statement
        self._open_row = open_row
        self.clear()
        keeper.savers.append(self.save)

    def clear(self) -> None:
        self._reading = threading.Lock()
        self._rows: dict[bytes, KnownToken] = {}
        self._read_from: tuple[int, int] | None = None
        self._saved = b""
        self._look_after = 0.0

    def save(self, connection: OwnConnection, folder: Folder) -> None:
        """Copy the tokens to the file of the folder. Raises OSError and psycopg's errors."""
        query: Any = self._statement
        rows = connection.execute(query).fetchall()
        # psycopg returns bytes of a binary column as they are.
        written = msgspec.json.encode([KnownToken(*row) for row in rows])
        path = folder.path / NAME
        if written == self._saved and path.exists():
            os.utime(path)
            return
        write(path, written)
        self._saved = written

    def is_there(self) -> bool:
        """Return whether hits can be authenticated without Postgres."""
        self._look()
        return bool(self._rows)

    def find(self, key: bytes) -> Access | None:
        """Return what the key opens; None for a key that is not in the file."""
        self._look()
        known = self._rows.get(key)
        columns = known.columns(datetime.now(UTC)) if known is not None else None
        return dict(self._open_row(*columns)).get(key) if columns is not None else None

    def find_or_refuse(self, key: bytes) -> Access:
        """Return what the key opens. Raises Unavailable for one that is not in the file: it may be
        that of a new token."""
        found = self.find(key)
        if found is None:
            raise Unavailable
        return found

    def _look(self) -> None:
        """Read the file again if it has changed. A thread that comes meanwhile waits for it."""
        if time.monotonic() < self._look_after:
            return
        with self._reading:
            if time.monotonic() >= self._look_after:
                try:
                    self._look_now()
                except (OSError, msgspec.MsgspecError) as error:
                    self._rows, self._read_from = {}, None
                    logger.error("The file of known tokens cannot be read: %s", error)
                finally:
                    self._look_after = time.monotonic() + LOOK_EVERY

    def _look_now(self) -> None:
        current = spool.current()
        if current is None:
            self._rows = {}
            return
        with suppress(FileNotFoundError):
            self._read(current.folder.path / NAME)
            return
        self._rows = {}

    def _read(self, path: Path) -> None:
        found = path.stat()
        if time.time() - found.st_mtime > TRUSTED:
            self._rows, self._read_from = {}, None
            return
        version = (found.st_ino, found.st_mtime_ns)
        if self._read_from == version:
            return
        rows = msgspec.json.decode(path.read_bytes(), type=list[KnownToken])
        long_ago = datetime.fromtimestamp(0, UTC)
        self._rows = {
            key: row for row in rows for key, _ in self._open_row(*(row.columns(long_ago) or ()))
        }
        self._read_from = version


def write(path: Path, content: bytes) -> None:
    """Replace the file at once, readable by this user only. Raises OSError."""
    draft = path.with_suffix(".new")
    with suppress(FileNotFoundError):
        draft.unlink()
    with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)
