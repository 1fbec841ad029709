"""Where the embedded servers live: computed from the var directory, nothing is ever created here.

Settings import this, so every manage.py command finds the servers of a running `make run`
with an empty environment.
"""

import hashlib
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATABASE = ROLE = "hitstream"
# The kernel takes 107 bytes on Linux and 103 on macOS.
SOCKET_PATH_BYTES = 100
POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"


def var_directory() -> Path:
    """The checkout's `var/`, or HITSTREAM_VAR; absolute, perhaps not there yet."""
    return Path(os.environ.get("HITSTREAM_VAR") or ROOT / "var").resolve()


def database_url(directory: Path | None = None) -> str:
    """The URL of the embedded Postgres of this var directory, in libpq's form."""
    sockets = postgres_sockets(directory or var_directory())
    return f"postgresql:///{DATABASE}?host={sockets}&user={ROLE}"


def broker_url(directory: Path | None = None) -> str:
    """The URL of the embedded Valkey of this var directory, in kombu's form."""
    return f"redis+socket://{valkey_socket(directory or var_directory())}"


def read_secret(name: str) -> str | None:
    """What `make run` keeps in this file of the var directory, or None if it keeps nothing."""
    try:
        return (var_directory() / name).read_text().strip() or None
    except FileNotFoundError:
        return None


def owner_of(directory: Path) -> int:
    """The uid that owns the directory, or would if this process made it."""
    try:
        return directory.stat().st_uid
    except FileNotFoundError:
        return os.geteuid()


def digest_of(directory: Path) -> str:
    return hashlib.sha256(str(directory).encode()).hexdigest()[:12]


def postgres_sockets(directory: Path) -> Path:
    """The directory of the Postgres socket.

    Root's Postgres runs as another user, whom root's var directory keeps out.
    """
    if owner_of(directory) == 0:
        return _outside(directory, "postgres")
    return _inside_or_outside(directory, "postgres", POSTGRES_SOCKET + ".lock")


def valkey_socket(directory: Path) -> Path:
    return _inside_or_outside(directory, "valkey", VALKEY_SOCKET) / VALKEY_SOCKET


def _outside(directory: Path, name: str) -> Path:
    """A short directory named from the var directory's path.

    /tmp and not $TMPDIR: every process must come to the same answer.
    """
    runtime = Path("/run")
    parent = runtime if owner_of(directory) == 0 and runtime.is_dir() else Path("/tmp")  # noqa: S108
    return parent / f"hitstream-{digest_of(directory)}-{name}"


def _inside_or_outside(directory: Path, name: str, socket: str) -> Path:
    inside = directory / "run" / name
    short = len(os.fsencode(inside / socket)) < SOCKET_PATH_BYTES
    # Only what needs no quoting goes into a URL, which several libraries parse in their own way.
    plain = re.fullmatch(r"[A-Za-z0-9_./-]+", str(inside))
    return inside if short and plain else _outside(directory, name)
