"""What is in the spool: bytes, hits, and the age of the oldest, of all processes of the node."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tracking.ingest.write.spool.folder import Folder, age_of, size_of
from tracking.ingest.write.spool.segment import HEAD, MAGIC


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolStatus:
    """Sizes in bytes, `oldest` in seconds: 0 without a hit."""

    bytes: int = 0
    hits: int = 0
    oldest: float = 0.0
    limit: int = 0

    @property
    def share(self) -> float:
        return self.bytes / self.limit if self.limit else 1.0


class Meter:
    """Counts the hits of segments, and of each again only what was appended."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._counted: dict[Path, tuple[int, int]] = {}

    def measure(self) -> SpoolStatus:
        """Return the status now. A segment that is being stored counts until it is deleted."""
        segments = self._folder.segments()
        self._counted = {path: self._count(path) for path in segments}
        filled = [path for path in segments if self._counted[path][1]]
        return SpoolStatus(
            bytes=sum(map(size_of, segments)),
            hits=sum(count for _, count in self._counted.values()),
            oldest=max(map(age_of, filled), default=0.0),
            limit=self._folder.limit,
        )

    def _count(self, path: Path) -> tuple[int, int]:
        """Return where the whole records end, and their number."""
        end, count = self._counted.get(path, (len(MAGIC), 0))
        with suppress(FileNotFoundError), path.open("rb") as file:
            size = size_of(path)
            file.seek(end)
            while len(head := file.read(HEAD.size)) == HEAD.size:
                length, _ = HEAD.unpack(head)
                if not length or end + HEAD.size + length > size:
                    break
                end += HEAD.size + length
                count += 1
                file.seek(end)
        return end, count
