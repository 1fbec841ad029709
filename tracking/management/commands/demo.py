from __future__ import annotations

import time
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.db import DatabaseError

from tracking.ingest.demo.demo import DemoError, delete_demo, load_demo


class Command(BaseCommand):
    help = (
        'Load sample data: 30 days of a shop under a token named "demo", which goes nowhere, or'
        " delete it with --delete."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true", help="Delete the token and its hits.")

    @no_translations
    def handle(self, *args: Any, delete: bool, **options: Any) -> None:
        try:
            if delete:
                self.stdout.write(
                    f"The demo token and its {delete_demo(by='demo'):,} hits are deleted."
                )
            else:
                self.load()
        except DemoError as error:
            raise CommandError(str(error)) from None
        except (psycopg.Error, DatabaseError) as error:
            hint = "" if delete else " Run it with --delete, then again."
            raise CommandError(f"The database failed: {str(error).strip()}.{hint}") from None

    def load(self) -> None:
        started = time.monotonic()
        loaded = load_demo(by="demo")
        seconds = time.monotonic() - started
        self.stdout.write(
            f'{loaded.hits:,} hits of 30 days are stored under the token "{loaded.token}", in'
            f" {seconds:.1f} s. Analytics shows them within a minute; manage.py demo --delete"
            " deletes them."
        )
