"""A pytest plugin: what takes longest begins first, so that no process ends alone.

A process takes a file at a time, and the folders whose files share servers as a whole.
durations.json holds the seconds of each file. `pytest --record-durations` writes it from a
run; a file that it does not name counts as a short one.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

#: Folders whose files share servers that take seconds to start: one process runs all of them.
TOGETHER = ("tests/stack", "tests/wheel", "tests/script", "tests/clients")
#: Files in them that share but the database: all in one process would outlast the others.
APART = ("tests/stack/test_rabbitmq.py", "tests/stack/test_silent_broker.py")
TABLE = Path(__file__).with_name("durations.json")
#: Seconds of a file that is not in the table.
UNKNOWN = 3.0

_measured: dict[str, float] = defaultdict(float)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-durations", action="store_true", help=f"write {TABLE.name}, the order of files"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known: dict[str, float] = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    seconds: dict[str, float] = defaultdict(float)
    for file in sorted({file_of(item.nodeid) for item in items}):
        seconds[unit_of(file)] += known.get(file, UNKNOWN)

    def place(item: pytest.Item) -> tuple[float, str, float]:
        unit = unit_of(item.nodeid)
        return -seconds[unit], unit, -known.get(file_of(item.nodeid), UNKNOWN)

    items.sort(key=place)
    # Of tests with one name the processes would run one.
    assert len({item.nodeid for item in items}) == len(items)


class UnitScheduling(LoadFileScheduling):  # type: ignore[misc]
    """xdist's `--dist loadfile`, by units instead of files."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> UnitScheduling:
    return UnitScheduling(config, log)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _measured[file_of(report.nodeid)] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table; of a run on several processes the one that collects their reports does."""
    if session.config.getoption("record_durations") and not hasattr(session.config, "workerinput"):
        known = json.loads(TABLE.read_text()) if TABLE.exists() else {}
        known |= {file: round(seconds, 1) for file, seconds in _measured.items()}
        kept = {file: known[file] for file in sorted(known) if Path(file).exists()}
        TABLE.write_text(json.dumps(kept, indent=1) + "\n")


def unit_of(nodeid: str) -> str:
    """Return what one process runs: the file, or the folder whose files stay together."""
    file = file_of(nodeid)
    folder = file.rpartition("/")[0]
    return folder if folder in TOGETHER and file not in APART else file


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]
