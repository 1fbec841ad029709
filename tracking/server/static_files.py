"""The static files that the deployment serves: those of its apps, without source maps."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.staticfiles.finders import AppDirectoriesFinder
from whitenoise.storage import CompressedManifestStaticFilesStorage

#: Megabytes that no page loads.
UNSERVED = "*.map"


class ServedFinder(AppDirectoriesFinder):
    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Any]]:
        yield from super().list([*(ignore_patterns or ()), UNSERVED])

    def find(self, path: str, *args: Any, **kwargs: Any) -> Any:
        """Return the file, or an empty list."""
        return [] if path.endswith(UNSERVED[1:]) else super().find(path, *args, **kwargs)


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Files under names with a digest. The line of a file that names its source map stays as it is:
    there is no such file to take a digest of. A file that was not collected, as after an upgrade,
    has its own name, and its page still opens."""

    manifest_strict = False
    patterns = tuple(
        (files, tuple(pattern for pattern in patterns if "sourceMappingURL" not in str(pattern)))
        for files, patterns in CompressedManifestStaticFilesStorage.patterns
    )


def storage_of_static_files(root: str | None, *, collected: bool) -> str:
    """Return the storage: with hashed names once the files are collected, and for the command that
    collects them."""
    collecting = root is not None and "collectstatic" in sys.argv[1:]
    if collected or collecting:
        return "tracking.server.static_files.HashedStorage"
    return "django.contrib.staticfiles.storage.StaticFilesStorage"
