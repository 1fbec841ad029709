"""Run the suite without browsers under other versions: `python -m tests.versions`.

Every Python from 3.12 on that this machine has (on PATH, or installed by pyenv) runs with every
Django that pyproject.toml allows. Each pair gets a virtual environment in build/versions.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "versions"
PYENV = Path.home() / ".pyenv" / "versions"
MINORS = range(12, 20)
DJANGOS = ("5.2", "6.0", "6.1", "6.2", "7.0")


def interpreters() -> Iterator[tuple[str, str]]:
    """Yield the version and the path of each Python from 3.12 on, one for each minor version."""
    for minor in MINORS:
        name = f"python3.{minor}"
        installed = sorted(str(path) for path in PYENV.glob(f"3.{minor}.*/bin/{name}"))
        # A shim of pyenv exists for versions that it would refuse to run.
        on_path = [path for path in [shutil.which(name)] if path and ".pyenv/shims" not in path]
        if found := [*on_path, *reversed(installed)]:
            yield f"3.{minor}", found[0]


def djangos() -> list[str]:
    """Return the Django series that pyproject.toml allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (django,) = (
        requirement
        for requirement in map(Requirement, project["dependencies"])
        if requirement.name == "django"
    )
    return [series for series in DJANGOS if django.specifier.contains(f"{series}.99")]


def run(python: str, django: str) -> str:
    """Run the suite. Returns pytest's closing line."""
    environment = FOLDER / f"{Path(python).name}-django{django}"
    subprocess.run([python, "-m", "venv", "--clear", environment], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--upgrade", "pip"], check=True)
    subprocess.run(
        [*pip, "--editable", str(ROOT), "--group", "dev", f"django=={django}.*"],
        cwd=ROOT,
        check=True,
    )
    tests = [str(environment / "bin" / "pytest"), "-m", "not browser", "--numprocesses", "3"]
    done = subprocess.run(
        [*tests, "--dist", "loadfile", "--no-loadscope-reorder", "--quiet"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    (environment / "pytest.log").write_text(done.stdout)
    closing = done.stdout.strip().splitlines()[-1].strip("= ")
    failed = re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.MULTILINE)
    return "\n".join([closing, *failed])


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the suite under other versions.")
    parser.add_argument("--only", help="one pair, such as 3.13:6.0")
    only = parser.parse_args().only
    pairs = [
        (version, path, django)
        for version, path in interpreters()
        for django in djangos()
        if only in (None, f"{version}:{django}")
    ]
    if not pairs:
        sys.stderr.write("This machine has no Python from 3.12 on, or no pair has that name.\n")
        return 1
    failures = 0
    for version, path, django in pairs:
        result = run(path, django)
        failures += " failed" in result or " error" in result
        sys.stdout.write(f"Python {version}, Django {django}: {result}\n")
        sys.stdout.flush()
    return min(1, failures)


if __name__ == "__main__":
    sys.exit(main())
