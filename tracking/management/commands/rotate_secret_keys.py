"""Re-encrypt the secrets of integrations and alert channels with the newest key of
HITSTREAM_SECRET_KEYS."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from tracking import db
from tracking.models import AlertChannel, Integration
from tracking.models.integrations.encrypted_json import Sealed, SecretKeyError, generate_key

CHUNK = 100


class Command(BaseCommand):
    help = (
        "Re-encrypt the secrets of integrations and alert channels with the first key of"
        " HITSTREAM_SECRET_KEYS."
        " Afterwards the other keys may be removed, unless the command names secrets as lost."
    )
    # The command must generate a key even while the checks complain that there is none.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--generate", action="store_true", help="Only print a new key.")

    def handle(self, *args: Any, generate: bool, **options: Any) -> None:
        if generate:
            self.stdout.write(generate_key())
            return
        try:
            rotated, lost = rotate()
        except SecretKeyError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Secrets under the newest key: {rotated}.")
        if lost:
            raise CommandError(
                "No key of HITSTREAM_SECRET_KEYS opens the secrets of:\n"
                + "\n".join(f"  {name}" for name in lost)
                + "\nPut the old key back at the end of the list, or enter these secrets again."
            )


def rotate() -> tuple[int, list[str]]:
    """Re-encrypt every readable secret with the newest key; one chunk of rows is locked at a time.

    Returns how many rows have secrets under that key, and the names of those that no key opens.
    Raises SecretKeyError without a usable key.
    """
    Sealed.seal({"key": "usable"})
    rotated = 0
    lost: list[str] = []
    for rows in (
        Integration.objects.select_related("token").order_by("pk"),
        AlertChannel.objects.order_by("pk"),
    ):
        for kept, unread in chunks(rows):
            rotated += sum(bool(row.secrets) for row in kept)
            lost += [name_of(row) for row in unread]
    return rotated, lost


def chunks(rows: QuerySet[Any]) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield, chunk by chunk, the renewed rows and those that no key opens."""
    last = 0
    while True:
        with db.atomic():
            chunk = list(rows.filter(pk__gt=last).select_for_update(of=("self",))[:CHUNK])
            kept = [row for row in chunk if _renew(row)]
            rows.model.objects.bulk_update(kept, ["secrets"])
        if not chunk:
            return
        last = chunk[-1].pk
        yield kept, [row for row in chunk if row not in kept]


def name_of(row: Integration | AlertChannel) -> str:
    if isinstance(row, AlertChannel):
        return f"Alert channel '{row.name}'"
    return f"Integration '{row.name}' of token '{row.token.name}'"


def _renew(row: Integration | AlertChannel) -> bool:
    try:
        row.secrets = row.secrets.renew()
    except SecretKeyError:
        return False
    return True
