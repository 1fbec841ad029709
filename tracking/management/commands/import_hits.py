from __future__ import annotations

import gc
import json
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from tracking.ingest.errors import Unavailable
from tracking.ingest.file_import import run
from tracking.ingest.file_import.chunk_writer import AlreadyImporting
from tracking.ingest.file_import.line_file import FileChanged, FileLine
from tracking.ingest.parse.arrival import ClientInfo
from tracking.ingest.parse.segment_payload import Shared, parse_event
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.bulk import ItemResult, Read
from tracking.management.arguments import storable
from tracking.management.confirm import confirmed
from tracking.management.progress_bar import Bar
from tracking.models import FileImport, Token
from tracking.terminal import escape_controls

SHOWN = 5


class Command(BaseCommand):
    help = (
        "Import hits from a file, one JSON object per line, gzip or not. They are stored and"
        " delivered as if they had been posted; sentAt is kept. If the command is interrupted, the"
        " same command continues where it stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--token",
            required=True,
            type=storable,
            metavar="NAME",
            help="The token that the hits belong to.",
        )
        parser.add_argument(
            "--format",
            choices=("hits", "segment"),
            default="hits",
            help="hits: the body of POST /track. segment: events in Segment's shape, each with "
            "its type.",
        )
        parser.add_argument(
            "--store-only",
            action="store_true",
            help="Do not deliver the hits; a backfill can do that later.",
        )
        parser.add_argument(
            "--refused",
            type=Path,
            metavar="FILE",
            help="The file for refused lines and their reasons; by default FILE.refused.",
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask for confirmation.")

    def handle(self, *args: Any, file: Path, token: str, **options: Any) -> None:
        try:
            imported = run.begin(find(token), file)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}.") from None
        if imported.finished_at:
            self.stdout.write(f"{file} was imported on {imported.finished_at:%Y-%m-%d %H:%M %Z}.")
            self.conclude(imported)
            return
        if not (options["yes"] or self.is_confirmed(imported, file, options)):
            self.stdout.write("Nothing was done.")
            return
        self.refused_file = options["refused"] or file.with_name(f"{file.name}.refused")
        self.shown = 0
        self.bar = Bar(self.stderr, file.stat().st_size)
        # All modules are loaded by now: freezing their objects keeps the garbage collector from
        # scanning them each time.
        gc.freeze()
        self.run_import(imported, file, reader(imported.token, options))
        self.conclude(imported)

    def is_confirmed(self, imported: FileImport, file: Path, options: dict[str, Any]) -> bool:
        names = [each.name for each in imported.token.integrations.filter(enabled=True)]
        queued = "no integration" if options["store_only"] or not names else ", ".join(names)
        where = f" from line {imported.lines + 1:,} on" if imported.lines else ""
        self.stdout.write(f"Import {file}{where} into {imported.token}; queued for {queued}.")
        return confirmed()

    def run_import(self, imported: FileImport, file: Path, read: Read) -> None:
        try:
            run.run(imported, file, read, refused=self.refuse, progress=self.show)
        except AlreadyImporting:
            raise CommandError("Another process is importing this file.") from None
        except FileChanged:
            raise CommandError(
                "The file changed. Import it when no process writes to it."
            ) from None
        except (OSError, EOFError, zlib.error) as error:
            raise CommandError(self.interrupted(imported, f"The file is broken: {error}")) from None
        except (psycopg.Error, DatabaseError, Unavailable) as error:
            raise CommandError(
                self.interrupted(imported, f"The database failed: {error}")
            ) from None
        except KeyboardInterrupt:
            raise CommandError(self.interrupted(imported, "Stopped")) from None
        self.bar.finish(f"{imported.lines:,} lines")

    def interrupted(self, imported: FileImport, why: str) -> str:
        imported.refresh_from_db()
        return (
            f"{why.strip()}. {imported.lines:,} lines are done; the same command continues there."
        )

    def refuse(self, line: FileLine, result: ItemResult) -> None:
        text = line.text.decode(errors="replace").rstrip("\r\n")
        record = {"line": line.number, **result.describe(), "text": text}
        del record["index"], record["status"]
        with self.refused_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self.shown += 1
        if self.shown <= SHOWN:
            said = f"Line {line.number}: {record['code']}: {record['message']}"
            self.stderr.write(escape_controls(said))

    def show(self, lines: int, position: int) -> None:
        self.bar.show(position, f"{lines:,} lines")

    def conclude(self, imported: FileImport) -> None:
        counts = {name: getattr(imported, name) for name in ("stored", "duplicate", "refused")}
        self.stdout.write(", ".join(f"{name}: {count:,}" for name, count in counts.items()))
        if getattr(self, "shown", 0):
            self.stdout.write(f"The refused lines are in {self.refused_file}.")


def find(name: str) -> Token:
    token = Token.objects.present().filter(name=name).first()
    if token is None:
        raise CommandError(f"There is no token named {name!r}.")
    return token


def reader(token: Token, options: dict[str, Any]) -> Read:
    sender = ClientInfo(token_id=token.pk, ip=None, user_agent="", ip_policy=token.ip_policy)
    read: Read = partial(parse, sender=sender)
    if options["format"] == "segment":
        read = partial(parse_event, sender=sender, shared=Shared(historical=True, strict=True))
    return run.nowhere(read) if options["store_only"] else read
