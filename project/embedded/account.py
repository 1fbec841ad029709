"""The user of the embedded Postgres. It refuses root, so root lends it an unprivileged user."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from project.embedded.paths import owner_of


class EmbeddedError(Exception):
    """An embedded server cannot run; the text says why and what to do."""


class Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user to run as; by default this process's own."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def for_postgres(cls) -> "Account":
        if os.geteuid() != 0:
            return cls()
        entry = pwd.getpwnam("nobody")
        return cls(entry.pw_uid, entry.pw_gid)

    @property
    def identity(self) -> Identity:
        """Return keyword arguments for subprocess."""
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, directory: Path) -> bool:
        """Return whether this user can traverse the directory and all above it."""
        if self.uid is None:
            return True
        return all(self._passes(parent.stat()) for parent in (directory, *directory.parents))

    def _passes(self, status: os.stat_result) -> bool:
        mine = status.st_uid == self.uid and status.st_mode & stat.S_IXUSR
        return bool(mine or status.st_mode & stat.S_IXOTH)

    def own(self, directory: Path) -> None:
        """Create the directory with mode 0700, owned by this user.

        Raises EmbeddedError if another user owns it: that owner could pose as the server.
        """
        uid = os.geteuid() if self.uid is None else self.uid
        try:
            directory.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            status = directory.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {uid, os.geteuid()}:
                raise EmbeddedError(
                    f"{directory} is not ours: remove it or have it removed"
                ) from None
        if self.uid is not None and self.gid is not None:
            os.chown(directory, self.uid, self.gid)
        directory.chmod(0o700)


def claim_var(directory: Path) -> None:
    """Create the var directory, private to this process's user."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if owner_of(directory) != os.geteuid():
        owner = owner_of(directory)
        raise EmbeddedError(
            f"{directory} belongs to uid {owner}: run as that user, or set HITSTREAM_VAR"
        )
    directory.chmod(0o700)
