"""`python -m benchmarks.compare REV [--only ingest] [--seconds 5] [--max-rounds 40]`.

The working tree (new) and a revision (old) in turns. The exit code is 1 if the interval of a
workload's ratio new ÷ old lies below 0.97 as a whole, 2 if the comparison fails, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from benchmarks.compare import report
from benchmarks.compare.interval import Bounds
from benchmarks.compare.revisions import CompareError, archived, working_tree
from benchmarks.compare.rounds import Outcome, Round, compete
from benchmarks.compare.workloads import WORKLOADS
from project.embedded.account import EmbeddedError


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt once; a second Ctrl-C does not disturb the clearing up."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def show_round(name: str, number: int, round_: Round) -> None:
    progress(report.of_round(name, number, round_))


def progress(text: str) -> None:
    """Print progress, which is not part of the outcome."""
    print(text, file=sys.stderr, flush=True)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare")
    parser.add_argument("revision", help="What the working tree is compared with: HEAD~3, a tag.")
    parser.add_argument(
        "--only", choices=tuple(WORKLOADS), action="append", help="May be repeated."
    )
    parser.add_argument("--seconds", type=positive, default=5, help="Of a load in each turn (5).")
    parser.add_argument("--max-rounds", type=positive, default=40, help="Of each workload (40).")
    parser.add_argument(
        "--max-minutes",
        type=positive,
        default=15,
        help="Of each workload: no round begins later (15).",
    )
    parser.add_argument(
        "--set",
        type=variable,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="In the environment of the working tree alone: with the revision HEAD, what a setting "
        "costs. May be repeated.",
    )
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")
    return parser.parse_args()


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError(text)
    return name, value


def run(chosen: argparse.Namespace) -> int:
    bounds = Bounds(chosen.max_rounds, chosen.max_minutes * 60)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="hitstream-compare-") as name:
        folder = Path(name).resolve()
        # The embedded Postgres of root runs as another user.
        folder.chmod(0o755)
        revisions = working_tree(folder), archived(folder, chosen.revision)
        for each in revisions:
            progress(f"{each.name}: {each.title}")
        progress(
            f"{report.INTERVAL} Rounds are added until both ends are within 3 % of it, up to "
            f"{chosen.max_rounds} rounds or {chosen.max_minutes} min a workload."
        )
        for workload in chosen.only or WORKLOADS:
            progress(f"{workload}: {WORKLOADS[workload].what}")
            outcomes.append(
                compete(
                    workload,
                    revisions,
                    folder / workload,
                    seconds=chosen.seconds,
                    bounds=bounds,
                    show=show_round,
                    variables=dict(chosen.set),
                )
            )
            text = report.of_outcome(outcomes[-1])
            print(text, file=sys.stderr if chosen.json else sys.stdout, flush=True)
    if chosen.json:
        print(json.dumps(report.as_json(revisions, outcomes), ensure_ascii=False, indent=1))
    return 1 if any(each.rate.is_slower for each in outcomes) else 0


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        return run(options())
    except (CompareError, EmbeddedError) as error:
        progress(str(error))
        return 2
    except KeyboardInterrupt:
        progress("Interrupted: everything that was started has ended.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
