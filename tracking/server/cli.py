"""The command `hitstream`: web, worker, beat, migrate, check, and Django's commands by manage."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured

from tracking.server.database import ROLE
from tracking.server.processes import keep_running

EXTRA = 'The command hitstream needs the extra "server": pip install "hitstream[server]"'


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status: 1 with one line where a setting is wrong."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracking.server.settings")
    # Django's commands have options of their own, --help among them.
    passed_on = given[1:] if given[:1] in (["manage"], ["check"], ["migrate"]) else []
    options = parser().parse_args(given[:1] if passed_on else given)
    os.environ.setdefault(ROLE, options.command)
    try:
        return start(options, passed_on)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"hitstream: {error}\n")
    except ModuleNotFoundError as error:
        if error.name not in {"granian", "whitenoise", "drf_spectacular", "redis", "aiormq"}:
            raise
        sys.stderr.write(f"hitstream: {EXTRA}\n")
    return 1


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("hitstream", description=__doc__)
    commands = made.add_subparsers(dest="command", required=True)
    web = commands.add_parser("web", help="serve hits, console and admin")
    web.add_argument("--host", default="127.0.0.1")
    web.add_argument("--port", type=positive, default=8000)
    web.add_argument("--workers", type=positive, help="processes; one for each core, at least 2")
    web.add_argument(
        "--ready-seconds",
        type=positive,
        default=60,
        help="after SIGHUP, seconds that a new process may take to replace an old one (60)",
    )
    worker = commands.add_parser("worker", help="deliver, and keep the database in order")
    worker.add_argument(
        "--processes",
        type=processes,
        default=1,
        help="processes that share the deliveries; auto: one for each core (1)",
    )
    worker.add_argument("--threads", type=positive, default=16, help="tasks at once (16)")
    beat = commands.add_parser("beat", help="wake workers on a schedule; one is enough")
    beat.add_argument("--schedule", help="its file; in the runtime directory")
    commands.add_parser("migrate", help="apply migrations; of two at once, one waits")
    commands.add_parser("check", help="check settings, database and keys")
    commands.add_parser("manage", help="run a command of Django: hitstream manage createsuperuser")
    return made


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def processes(text: str) -> int:
    return (os.cpu_count() or 1) if text == "auto" else positive(text)


def start(options: argparse.Namespace, passed_on: list[str]) -> int:
    """Read the settings, then become the process, or run the command."""
    import django  # noqa: PLC0415 (only once the settings are named)

    django.setup()
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    from tracking.server import commands, migration  # noqa: PLC0415

    match options.command:
        case "web":
            workers = options.workers or commands.web_processes()
            command = commands.web(workers, options.ready_seconds)
            become(*command, "--host", options.host, "--port", str(options.port))
        case "worker":
            if options.processes == 1:
                become(*commands.worker(options.threads))
            each_command = (
                commands.worker(options.threads, number)
                for number in range(1, options.processes + 1)
            )
            return keep_running([[sys.executable, "-m", *each] for each in each_command])
        case "beat":
            become(*commands.beat(), options.schedule or commands.schedule())
        case "migrate":
            migration.migrate(passed_on)
        case "check":
            from tracking.server import checks  # noqa: F401, PLC0415 (registers the checks)

            arguments = passed_on or ["--deploy", "--database", "default"]
            execute_from_command_line(["hitstream", "check", *arguments])
        case _:
            execute_from_command_line(["hitstream", *passed_on])
    return 0


def become(*command: str) -> NoReturn:
    """Replace this process, so that signals reach the server itself."""
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606
