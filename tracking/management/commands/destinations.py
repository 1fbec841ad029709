from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser, no_translations

from tracking.destinations.contract import registry
from tracking.destinations.contract.config_form import SecretField
from tracking.destinations.contract.destination import Destination


class Command(BaseCommand):
    help = "List the destinations that hits can be sent to, with the configuration fields of each."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print a JSON array.")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        described = [describe(destination) for destination in registry.all_destinations()]
        if options["json"]:
            self.stdout.write(json.dumps(described, indent=2))
            return
        for each in described:
            self.stdout.write(f"{each['slug']}: {each['label']} ({each['docs_url']})")
            self.stdout.write(
                f"    takes {', '.join(each['takes'])}; at most {each['max_batch']} per request"
            )
            for field in each["fields"]:
                marks = [name for name in ("required", "secret") if field[name]]
                marked = f" ({', '.join(marks)})" if marks else ""
                choices = f" One of {', '.join(field['choices'])}." if field["choices"] else ""
                self.stdout.write(f"    {field['name']}{marked}: {field['help']}{choices}")


def describe(destination: type[Destination]) -> dict[str, Any]:
    return {
        "slug": destination.slug,
        "label": destination.label,
        "category": destination.category,
        "summary": str(destination.summary),
        "docs_url": destination.docs_url,
        "aliases": list(destination.aliases),
        "takes": sorted(destination.takes),
        "idempotency": destination.idempotency,
        "max_batch": destination.max_batch,
        "fields": [
            {
                "name": name,
                "required": field.required,
                "secret": isinstance(field, SecretField),
                "initial": field.initial,
                "help": str(field.help_text),
                "choices": [str(value) for value, _ in getattr(field, "choices", ())],
            }
            for name, field in destination.Config.base_fields.items()
        ],
    }
