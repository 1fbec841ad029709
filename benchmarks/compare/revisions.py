"""The code of both sides, each in a folder of its own, with the Python that runs it.

Neither side runs in the working tree, so that files which are edited meanwhile change nothing. The
virtual environment contains an editable install of the working tree: PYTHONPATH stands before it,
and `check_imports` shows that it did for every process.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from project.embedded.paths import ROOT

OURS = ("tracking", "project")
#: What a shell may have set for another purpose.
DROPPED = {"DJANGO_SETTINGS_MODULE", "PYTHONDONTWRITEBYTECODE", "PYTHONSAFEPATH", "PYTHONHOME"}
#: The commands of `make run` in the revision's own words, and where they come from.
PROBE = """
import json, tracking
from project import run
print(json.dumps({
    "files": [tracking.__file__, run.__file__],
    "programs": {"web": run.web().split(), "worker": run.WORKER.split(), "beat": run.BEAT.split()},
}))
"""


class CompareError(Exception):
    """The comparison cannot go on; the text says why."""


@dataclass(frozen=True)
class Revision:
    """Code in a folder. `programs` are the arguments after `python -m` of web, worker and beat."""

    name: str
    title: str
    root: Path
    python: str
    environment: dict[str, str] = field(repr=False)
    programs: dict[str, list[str]]

    @property
    def bytecode(self) -> Path:
        return Path(self.environment["PYTHONPYCACHEPREFIX"])

    def check_imports(self) -> None:
        """Raise CompareError unless all processes so far imported this folder's own code.

        Each writes the bytecode of what it imports below PYTHONPYCACHEPREFIX, under the path of
        the source file.
        """
        for package in OURS:
            if not any(self._compiled(self.root, package)):
                raise CompareError(f"{self.name}: no process imported {self.root / package}")
            if any(self._compiled(ROOT, package)):
                raise CompareError(f"{self.name}: a process imported {ROOT / package}")

    def _compiled(self, root: Path, package: str) -> list[Path]:
        folder = self.bytecode / root.relative_to(root.anchor) / package
        return list(folder.glob("*.pyc"))


def git(*arguments: str) -> bytes:
    """Return what git prints in the working tree.

    Raises CompareError with git's own message.
    """
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise CompareError(f"git {arguments[0]}: {done.stderr.decode().strip()}")
    return done.stdout


def working_tree(folder: Path) -> Revision:
    """Return a copy of the working tree: what git tracks or would take, as it is now."""
    root = folder / "new" / "code"
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split(b"\0")):
        source, target = ROOT / os.fsdecode(name), root / os.fsdecode(name)
        if source.is_symlink() or source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    head = git("log", "-1", "--format=%h", "HEAD").decode().strip()
    changed = len(git("status", "--porcelain").splitlines())
    title = f"the working tree: {head}" + (f" and {changed} changed files" if changed else "")
    return probed("new", title, root, sys.executable)


def archived(folder: Path, revision: str) -> Revision:
    """Return the revision as it was committed, with a virtual environment of its own if other
    packages belong to it than to the working tree.

    Raises CompareError if git does not know the revision.
    """
    try:
        commit = git("rev-parse", "--verify", f"{revision}^{{commit}}").decode().strip()
    except CompareError:
        raise CompareError(f"git knows no revision {revision}") from None
    root = folder / "old" / "code"
    root.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit))) as archive:
        archive.extractall(root, filter="data")
    title = git("log", "-1", "--format=%h %s", commit).decode().strip()
    ours, theirs = requirements(ROOT), requirements(root)
    python = sys.executable
    if ours != theirs:
        python = make_environment(root, root.with_name("venv"), theirs - ours)
        title += ", in a virtual environment of its own"
    return probed("old", title, root, python)


def requirements(root: Path) -> set[str]:
    """Return what `make run` installs for the code in this folder."""
    declared: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())
    groups = declared.get("dependency-groups", {})
    return {*declared["project"]["dependencies"], *groups.get("run", [])}


def make_environment(root: Path, target: Path, differing: set[str]) -> str:
    """Return the Python of a new virtual environment for the code in this folder.

    Each package has the version that it has here, save those that the folder requires otherwise:
    else two revisions would differ by what was released meanwhile.
    """
    print(f"Installing what {root} requires ...", file=sys.stderr, flush=True)
    # The code itself is in the folder.
    free = {"hitstream", *map(name_of, differing)}
    pinned = {name_of(each.name): each.version for each in distributions()}
    constraints = target.with_name("constraints.txt")
    constraints.write_text(
        "".join(f"{name}=={version}\n" for name, version in pinned.items() if name not in free)
    )
    venv.create(target, with_pip=True, symlinks=True)
    python = str(target / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet"]
    for arguments in (
        ["--upgrade", "pip"],
        ["--editable", ".", "--group", "run", "--constraint", str(constraints)],
    ):
        done = subprocess.run([*pip, *arguments], cwd=root, capture_output=True, check=False)
        if done.returncode:
            raise CompareError(f"pip: {done.stderr.decode().strip()}")
    return python


def name_of(requirement: str) -> str:
    """Return the package's normal name: celery for `celery[redis]>=5.5,<6`."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def probed(name: str, title: str, root: Path, python: str) -> Revision:
    """Return the revision with the commands of its own `make run`.

    Raises CompareError if other code than the folder's is imported.
    """
    kept = {key: value for key, value in os.environ.items() if key not in DROPPED}
    environment = {
        **kept,
        "PYTHONPATH": str(root),
        "PYTHONPYCACHEPREFIX": str(root.with_name("bytecode")),
    }
    done = subprocess.run(
        [python, "-c", PROBE], cwd=root, env=environment, capture_output=True, check=False
    )
    if done.returncode:
        raise CompareError(f"{title}: {done.stderr.decode().strip()}")
    answer = json.loads(done.stdout)
    for file in answer["files"]:
        if not Path(file).is_relative_to(root):
            raise CompareError(f"{title}: imports {file}, which is not in {root}")
    return Revision(name, title, root, python, environment, answer["programs"])
