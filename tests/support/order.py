"""A pytest plugin: the files that take longest begin first, so that no process ends alone.

durations.json holds the seconds of each file. `pytest --record-durations` writes it from a
run; a file that it does not name counts as a short one.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

TABLE = Path(__file__).with_name("durations.json")
#: Seconds of a file that is not in the table.
UNKNOWN = 3.0

_measured: Counter[str] = Counter()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-durations", action="store_true", help=f"write {TABLE.name}, the order of files"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seconds: dict[str, float] = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    # Files of the same time keep their order: each file's tests stay together.
    items.sort(key=lambda item: -seconds.get(file_of(item.nodeid), UNKNOWN))
    # Of tests with one name the processes would run one.
    assert len({item.nodeid for item in items}) == len(items)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _measured[file_of(report.nodeid)] += report.duration  # type: ignore[assignment]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table; of a run on several processes the one that collects their reports does."""
    if session.config.getoption("record_durations") and not hasattr(session.config, "workerinput"):
        known = json.loads(TABLE.read_text()) if TABLE.exists() else {}
        known |= {file: round(seconds, 1) for file, seconds in _measured.items()}
        kept = {file: known[file] for file in sorted(known) if Path(file).exists()}
        TABLE.write_text(json.dumps(kept, indent=1) + "\n")


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]
