"""The places of the embedded servers, computed from the var directory; nothing is created here.

Settings import this, so every manage.py command finds the servers of a running `make run` with an
empty environment.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATABASE = ROLE = "hitstream"
# Bytes: the kernel takes 107 on Linux and 103 on macOS.
SOCKET_PATH_BYTES = 100
POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"


def var_directory() -> Path:
    """Return the checkout's `var/`, or HITSTREAM_VAR, absolute. It may not exist yet."""
    return Path(os.environ.get("HITSTREAM_VAR") or ROOT / "var").resolve()


def database_url(directory: Path | None = None) -> str:
    """Return the URL of this var directory's Postgres, in libpq's form."""
    sockets = postgres_sockets(directory or var_directory())
    return f"postgresql:///{DATABASE}?host={sockets}&user={ROLE}"


def broker_url(directory: Path | None = None) -> str:
    """Return the URL of this var directory's Valkey, in kombu's form."""
    return f"redis+socket://{valkey_socket(directory or var_directory())}"


def is_external(environment: Mapping[str, str]) -> bool:
    """Return whether the environment names a Postgres instead of the embedded one."""
    return is_given(environment, "DATABASE_URL")


def is_given(environment: Mapping[str, str], name: str) -> bool:
    """Return whether the variable, or the file that it may be in, is named."""
    return bool(environment.get(name) or environment.get(f"{name}_FILE"))


def read_secret(name: str) -> str | None:
    """Return the secret in this file of the var directory, None without one."""
    try:
        return (var_directory() / name).read_text().strip() or None
    except FileNotFoundError:
        return None


def owner_of(directory: Path) -> int:
    """Return the uid that owns the directory, or would if this process made it."""
    try:
        return directory.stat().st_uid
    except FileNotFoundError:
        return os.geteuid()


def digest_of(directory: Path) -> str:
    return hashlib.sha256(str(directory).encode()).hexdigest()[:12]


def postgres_sockets(directory: Path) -> Path:
    """Return the directory of the Postgres socket.

    Root's Postgres runs as another user, who cannot enter root's var directory.
    """
    if owner_of(directory) == 0:
        return _outside(directory, "postgres")
    return _inside_or_outside(directory, "postgres", POSTGRES_SOCKET + ".lock")


def valkey_socket(directory: Path) -> Path:
    return _inside_or_outside(directory, "valkey", VALKEY_SOCKET) / VALKEY_SOCKET


def _outside(directory: Path, name: str) -> Path:
    """Return a short directory named after the var directory's path.

    Under /tmp and not $TMPDIR: every process must get the same result.
    """
    runtime = Path("/run")
    parent = runtime if owner_of(directory) == 0 and runtime.is_dir() else Path("/tmp")  # noqa: S108
    return parent / f"hitstream-{digest_of(directory)}-{name}"


def _inside_or_outside(directory: Path, name: str, socket: str) -> Path:
    inside = directory / "run" / name
    short = len(os.fsencode(inside / socket)) < SOCKET_PATH_BYTES
    # No characters that need quoting: several libraries parse the URL, each in its own way.
    plain = re.fullmatch(r"[A-Za-z0-9_./-]+", str(inside))
    return inside if short and plain else _outside(directory, name)
