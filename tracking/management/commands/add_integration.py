from __future__ import annotations

import json
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    no_translations,
)

from tracking.destinations.contract import registry
from tracking.exceptions import SetupError
from tracking.management.arguments import check, storable
from tracking.models import Integration, Token


class Command(BaseCommand):
    help = "Send a token's hits to a destination. Generated secrets are shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("token_name", type=storable)
        parser.add_argument("slug", help="The destination, such as webhook.")
        parser.add_argument(
            "--name", type=storable, help="The name; by default the destination's label."
        )
        parser.add_argument(
            "--config", type=storable, default="{}", help="A JSON object of its fields."
        )
        parser.add_argument(
            "--event",
            action="append",
            type=storable,
            default=[],
            help="Only this event; may be repeated.",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    @no_translations
    def handle(self, *args: Any, token_name: str, slug: str, **options: Any) -> None:
        try:
            token = Token.objects.present().get(name=token_name)
            destination = registry.get_destination(slug)
            config = json.loads(options["config"])
        except (Token.DoesNotExist, SetupError, ValueError, RecursionError) as error:
            raise CommandError(f"{token_name} → {slug}: {error}") from None
        if not isinstance(config, dict):
            raise CommandError("--config must be a JSON object.")
        form = destination.Config(config)
        unknown = sorted(set(config) - set(form.fields))
        if unknown or not form.is_valid():
            wrong = [f"{name}: there is no such field" for name in unknown]
            wrong += [f"{name}: {' '.join(map(str, each))}" for name, each in form.errors.items()]
            raise CommandError("\n".join(wrong))
        name = options["name"] or destination.label
        if Integration.objects.present().filter(token=token, name=name).exists():
            raise CommandError(f"{token} already has an integration named {name!r}.")
        integration = Integration(
            token=token, name=name, destination=slug, event_names=options["event"]
        )
        check(integration, "name", "event_names")
        integration.configure(form)
        integration.save(by="add_integration")
        self.report({"id": integration.pk, "name": name, **form.issued}, as_json=options["json"])

    def report(self, values: dict[str, Any], *, as_json: bool) -> None:
        lines = "\n".join(f"{key}: {value}" for key, value in values.items())
        self.stdout.write(json.dumps(values) if as_json else lines)
