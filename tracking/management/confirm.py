"""The common part of the commands that change an integration: find it, show what will happen, and
confirm it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Value
from django.db.models.functions import Concat
from django.utils import timezone

from tracking.events import Transcript
from tracking.management.arguments import storable
from tracking.models import Integration
from tracking.models.operations.preview import Preview
from tracking.presentation.row_id import row_id
from tracking.terminal import escape_controls


def find(name: str) -> Integration:
    """Return the integration with this id or TOKEN_NAME/INTEGRATION_NAME. Raises CommandError."""
    integrations = Integration.objects.present().select_related("token")
    pk = row_id(name)
    if pk is not None:
        matches = list(integrations.filter(pk=pk))
    else:
        path = Concat("token__name", Value("/"), "name")
        matches = list(integrations.annotate(path=path).filter(path=name))
    if len(matches) != 1:
        ids = ", ".join(str(integration.pk) for integration in matches)
        raise CommandError(
            f"{name[:100]!r} matches {ids}: give the id."
            if matches
            else f"There is no integration {name[:100]!r}: give its id or"
            " TOKEN_NAME/INTEGRATION_NAME."
        )
    return matches[0]


class ConfirmingCommand(BaseCommand):
    """A command that shows what it will do, asks for confirmation, and does it."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "integration", type=storable, help="Its id, or TOKEN_NAME/INTEGRATION_NAME."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Only show what the command would do."
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask for confirmation.")

    def is_confirmed(self, counted: str, preview: Preview, options: dict[str, Any]) -> bool:
        """Print the preview, and return whether to go ahead."""
        self.stdout.write(f"{counted}: {preview.count:,}")
        if preview.oldest and preview.newest:
            self.stdout.write(f"Oldest: {local(preview.oldest)}\nNewest: {local(preview.newest)}")
        for transcript in preview.sample:
            self.stdout.write(escape_controls(f"\n{written(transcript)}\n"))
        if preview.note:
            self.stdout.write(escape_controls(preview.note))
        if options["dry_run"]:
            return False
        if options["yes"] or confirmed():
            return True
        self.stdout.write("Nothing was done.")
        return False


def confirmed() -> bool:
    """Ask on the terminal, and return whether the answer is yes. Raises CommandError without a
    terminal."""
    try:
        return input("Continue? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        raise CommandError(
            "Nothing was done: nobody answers here. Pass --yes to go ahead."
        ) from None


def local(time: datetime) -> str:
    return f"{timezone.localtime(time):%Y-%m-%d %H:%M:%S %Z}"


def written(transcript: Transcript) -> str:
    """Return the request as it goes over the wire, with its secrets masked."""
    headers = "".join(f"\n{name}: {value}" for name, value in transcript.request_headers.items())
    return f"{transcript.method} {transcript.url}{headers}\n\n{transcript.request_body}"
