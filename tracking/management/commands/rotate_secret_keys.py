"""Re-encrypt every integration's secrets with the newest key of HITSTREAM_SECRET_KEYS."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import router, transaction

from tracking.models import Integration
from tracking.models.fields import Sealed, SecretKeyError, generate_key

CHUNK = 100


class Command(BaseCommand):
    help = (
        "Re-encrypts every integration's secrets with the first key of HITSTREAM_SECRET_KEYS."
        " Afterwards the other keys may be removed, unless an integration is named as lost."
    )
    # A key must be to be had while the checks still complain that there is none.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--generate", action="store_true", help="only print a fresh key")

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
                + "\n".join(f"  Integration '{name}' of token '{token}'" for name, token in lost)
                + "\nPut the old key back at the end of the list, or enter these secrets anew."
            )


def rotate() -> tuple[int, list[tuple[str, str]]]:
    """Every readable secret is under the newest key; a chunk of rows is locked at a time.

    Returns how many integrations have secrets under it, and name and token of those that no key
    opens. Raises SecretKeyError without a usable key.
    """
    Sealed.seal({"key": "usable"})
    rotated = 0
    lost: list[tuple[str, str]] = []
    rows = Integration.objects.select_related("token").order_by("pk")
    last = None
    while True:
        with transaction.atomic(using=router.db_for_write(Integration)):
            later = rows if last is None else rows.filter(pk__gt=last)
            chunk = list(later.select_for_update(of=("self",))[:CHUNK])
            kept = [integration for integration in chunk if _renew(integration)]
            Integration.objects.bulk_update(kept, ["secrets"])
        if not chunk:
            return rotated, lost
        last = chunk[-1].pk
        rotated += sum(bool(integration.secrets) for integration in kept)
        lost += [(each.name, each.token.name) for each in chunk if each not in kept]


def _renew(integration: Integration) -> bool:
    try:
        integration.secrets = integration.secrets.renew()
    except SecretKeyError:
        return False
    return True
