"""Object storage: hits as files in S3 or S3-compatible storage, GCS, Azure Blob or a local folder.

Source: obstore's documentation (https://developmentseed.org/obstore/latest/), page "Authentication"
and the API reference of S3Store, GCSStore, AzureStore, LocalStore, put and list; Amazon S3's User
Guide, "Amazon S3 data consistency model": a list after a write contains it, as in GCS and Azure
Blob.

Each hit is in exactly one file. The name of a file consists of the ids of its first and last hit
and the digest of all ids: the same hits have the same name and the same bytes. A retry may group
hits differently. So a file holds hits of one window of ten minutes, and before it is written, the
window's other files with overlapping ids are read: their hits are left out. This fails only if a
write that timed out completes after its retry has looked; such rows have the same `id`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.destinations.contract.destination import Destination
from tracking.destinations.contract.non_http import perform, relaying
from tracking.destinations.spec.rows import lines
from tracking.destinations.transport.relay import Relay
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.object_storage import files, stores
from tracking.destinations.vendors.object_storage.config import FOLDER, ObjectStorageConfig
from tracking.events import Event, Receipt

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client

WINDOW_MINUTES = 10
#: Bytes that the service may send before a file is read: the list of the window.
LIST_BYTES = 20_000_000
#: The name of a file after its window.
NAME = re.compile(r"_(?P<first>[0-9a-f-]{36})_(?P<last>[0-9a-f-]{36})_[0-9a-f]{16}\.(?P<ending>.+)")


class ObjectStorage(Destination):
    """Object storage: one file per batch. `request` describes it; its body holds the rows before
    compression."""

    slug = "object-storage"
    label = "Object storage"
    category = "storage"
    summary = gettext_lazy("Files of hits in S3, Google Cloud Storage or Azure.")
    docs_url = "https://developmentseed.org/obstore/latest/"
    aliases = ("S3", "Amazon S3", "Google Cloud Storage", "Azure Blob Storage")
    Config = ObjectStorageConfig

    idempotency = "the file's name, and `id` of each row"
    max_batch = 10_000
    max_bytes = 32_000_000
    speaks_http = False

    @property
    def batch_size(self) -> int:
        return min(int(self.config.get("batch_size", 1_000)), self.max_batch)

    @property
    def timeout(self) -> float:
        return 30.0

    def batches(self, events: Sequence[Event]) -> Iterator[Sequence[Event]]:
        """Yield batches whose hits belong to one window."""
        windows: dict[str, list[Event]] = {}
        for event in events:
            windows.setdefault(self._window(event.received_at), []).append(event)
        for together in windows.values():
            yield from super().batches(together)

    def request(self, events: Sequence[Event]) -> Request:
        root = stores.url_of(self.config)
        return Request(
            method="PUT",
            url=f"{root}/{self._key(events)}",
            body=lines(events),
            headers=files.HEADERS[self.config["format"]],
        )

    async def deliver(self, events: Sequence[Event], client: Client) -> Receipt:
        request = self.request(events)
        exchange = await perform(self, request, self._write(events), stores.explain)
        return Receipt(exchange=exchange)

    async def verify(self, client: Client) -> str:
        """List one page of the folder."""
        folder = self._window(datetime.now(UTC)).rpartition("/")[0]
        request = Request(method="GET", url=f"{stores.url_of(self.config)}/{folder}/", body=b"")

        async def look() -> str:
            async with self._open() as (store, _):
                names = await self._names(store, self._window(datetime.now(UTC)))
            return f"{len(names)} files"

        await perform(self, request, look(), stores.explain)
        return _("The folder can be listed. Writing was not tested.")

    async def _write(self, events: Sequence[Event]) -> str:
        async with self._open() as (store, relay):
            return await self._write_into(store, relay, events)

    async def _write_into(self, store: Any, relay: Relay, events: Sequence[Event]) -> str:
        name = self.config["format"]
        ours = {str(event.id) for event in events}
        known: set[str] = set()
        window = self._window(events[0].received_at)
        first, last = _ends(events)
        for path in await self._names(store, window):
            named = NAME.fullmatch(path.removeprefix(window))
            if named and named["first"] <= last and first <= named["last"]:
                relay.allow(2 * stores.MAX_FILE)
                data = await stores.read(store, path)
                known |= ours & await asyncio.to_thread(files.ids, named["ending"], data)
        new = [event for event in events if str(event.id) not in known]
        if not new:
            return "All hits were present already."
        data = await asyncio.to_thread(files.pack, name, new)
        await stores.write(store, self._key(new), data, files.HEADERS[name])
        return f"{self._key(new)}: {len(new)} rows, {len(data):,} bytes"

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[tuple[Any, Relay]]:
        """Yield the store, and the relay through which alone it reaches its service."""
        files.check(self.config["format"])
        async with relaying(LIST_BYTES) as relay:
            yield (
                await asyncio.to_thread(
                    stores.open_store, self.config, timeout=self.timeout, proxy=relay.proxy_url
                ),
                relay,
            )

    async def _names(self, store: Any, window: str) -> list[str]:
        return await stores.names(store, window.rpartition("/")[0], window)

    def _window(self, moment: datetime) -> str:
        """Return the beginning of the names of all files that may contain a hit received at the
        moment."""
        at = moment.astimezone(UTC)
        at = at.replace(minute=at.minute // WINDOW_MINUTES * WINDOW_MINUTES)
        parts = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H"}
        values = {name: at.strftime(code) for name, code in parts.items()}
        folder = self.config.get("folder") or FOLDER
        return f"{folder.format(**values)}/{at:%Y%m%dT%H%M}"

    def _key(self, events: Sequence[Event]) -> str:
        first, last = _ends(events)
        ids = b"".join(sorted(event.id.bytes for event in events))
        digest = hashlib.sha256(ids).hexdigest()[:16]
        ending = files.ENDINGS[self.config["format"]]
        return f"{self._window(events[0].received_at)}_{first}_{last}_{digest}.{ending}"


def _ends(events: Sequence[Event]) -> tuple[str, str]:
    ids = [str(event.id) for event in events]
    return min(ids), max(ids)
