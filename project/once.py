"""`python once.py TARGET [PREREQUISITE ...] -- COMMAND`: what the Makefile installs, once.

Two `make` at once in a checkout both see that a stamp is missing. The first to take the lock runs
the command and touches the stamp; the second waits, sees the stamp and does nothing. Nothing but
the standard library: it runs before anything is installed.
"""

import fcntl
import subprocess
import sys
from pathlib import Path

LOCK = Path(".make.lock")


def is_fresh(target: Path, prerequisites: list[Path]) -> bool:
    """Return whether the target exists and no prerequisite is newer."""
    if not target.exists():
        return False
    made = target.stat().st_mtime_ns
    return all(each.stat().st_mtime_ns <= made for each in prerequisites)


def main(arguments: list[str]) -> int:
    """Return the exit code of the command, or 0 where another process has done its work."""
    split = arguments.index("--")
    target, *prerequisites = map(Path, arguments[:split])
    with LOCK.open("w") as lock:
        # The kernel releases the lock of a killed process.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_fresh(target, prerequisites):
            return 0
        code = subprocess.run(arguments[split + 1 :], check=False).returncode  # noqa: S603
        if code == 0:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
