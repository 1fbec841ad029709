"""The systemd units, read by systemd itself."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.debian import DEPLOY
from tests.deploy.site import documented

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PLACE = "/opt/hitstream/bin/hitstream"
#: systemd's own score, from 0 (all is denied) to 10.
EXPOSURE = 2.0


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with a command that exists."""
    command = tmp_path / "hitstream"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    for source in (DEPLOY / "systemd").glob("hitstream*.[st][ei]*"):
        (tmp_path / source.name).write_text(source.read_text().replace(PLACE, str(command)))
    return tmp_path


def analyze(*arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_systemd_accepts_every_unit_without_a_word(units: Path) -> None:
    names = [
        *("hitstream-web.service", "hitstream-worker@.service", "hitstream-beat.service"),
        *("hitstream-migrate.service", "hitstream-sweep.service", "hitstream-sweep.timer"),
    ]
    assert len(UNITS) == 5
    assert analyze("verify", "--man=no", *(units / name for name in names)) == (0, "")


def test_systemd_knows_the_user_of_the_units() -> None:
    done = subprocess.run(
        ["systemd-sysusers", "--dry-run", DEPLOY / "systemd/hitstream.sysusers"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "hitstream" in done.stdout + done.stderr) == (0, True), done.stderr


def test_an_unknown_setting_is_seen(units: Path) -> None:
    """The test above can fail."""
    unit = units / "hitstream-web.service"
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHouse="))
    assert "ProtectHouse" in analyze("verify", "--man=no", unit)[1]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_every_unit_is_denied_what_it_does_not_need(unit: Path, tmp_path: Path) -> None:
    # Of a template systemd looks for the file of an instance.
    copy = tmp_path / unit.name.replace("@.", ".")
    copy.write_text(unit.read_text())
    limit = f"--threshold={int(EXPOSURE * 10)}"
    status, said = analyze("security", "--offline=yes", "--no-pager", limit, copy)
    assert status == 0, said[-200:]


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_a_unit_runs_the_documented_command(name: str) -> None:
    (unit,) = (unit for unit in UNITS if unit.stem.rstrip("@") == f"hitstream-{name}")
    found = re.search(r"^ExecStart=\S+/hitstream (.*)$", unit.read_text(), re.MULTILINE)
    assert found
    # The instance of the workers' unit is their number.
    assert found[1].replace("%i", "auto").split() == documented(name)
