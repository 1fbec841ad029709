"""What a comparison relies upon: a side imports its own code, and a hit received counts once."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
from pathlib import Path
from shutil import ignore_patterns
from urllib.parse import urlsplit

import pytest

from benchmarks.compare.arrivals import Arrivals, listening
from benchmarks.compare.revisions import OURS, CompareError, Revision, name_of, probed
from project.embedded.paths import ROOT


@pytest.fixture
def here(tmp_path: Path) -> Revision:
    """A copy of the working tree's two packages."""
    code = tmp_path / "code"
    for package in OURS:
        shutil.copytree(ROOT / package, code / package, ignore=ignore_patterns("__pycache__"))
    return probed("new", "here", code, sys.executable)


def test_a_revision_says_how_its_programs_are_started(here: Revision) -> None:
    assert [here.programs[name][0] for name in ("web", "worker", "beat")] == [
        *("tracking.server.web", "celery", "celery")
    ]


def test_a_side_that_imports_its_own_code_is_good(here: Revision) -> None:
    here.check_imports()


def test_one_process_that_imports_other_code_is_noticed(here: Revision) -> None:
    environment = {**here.environment, "PYTHONPATH": str(ROOT)}
    subprocess.run([here.python, "-c", "import tracking"], env=environment, cwd="/", check=True)
    with pytest.raises(CompareError, match="a process imported"):
        here.check_imports()


def test_code_that_is_not_there_is_not_replaced_by_what_is_installed(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    with pytest.raises(CompareError):
        probed("old", "nothing", tmp_path / "code", sys.executable)


@pytest.mark.parametrize("requirement", ["celery[redis]>=5.5,<6", "Celery", "celery ==5.5"])
def test_a_requirement_is_named_for_its_package(requirement: str) -> None:
    assert name_of(requirement) == "celery"


def test_a_hit_received_again_counts_once() -> None:
    arrivals = Arrivals()
    arrivals.expect(b"this-", 3)
    with listening(arrivals.take) as url:
        parts = urlsplit(url)
        client = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        for body in (b"this-00000000", b"this-00000000", b"last-00000001", b"this-00000002" * 2):
            client.request("POST", parts.path, body, {"Content-Type": "text/plain"})
            assert client.getresponse().read() == b"{}"
        client.close()
    assert arrivals.received == 2
    assert arrivals.last_at > 0
