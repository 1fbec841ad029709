"""The static files that the deployment serves: those of its apps, without source maps."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.staticfiles.finders import AppDirectoriesFinder

#: Megabytes that no page loads.
UNSERVED = "*.map"


class ServedFinder(AppDirectoriesFinder):
    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Any]]:
        yield from super().list([*(ignore_patterns or ()), UNSERVED])

    def find(self, path: str, *args: Any, **kwargs: Any) -> Any:
        """Return the file, or an empty list."""
        return [] if path.endswith(UNSERVED[1:]) else super().find(path, *args, **kwargs)
