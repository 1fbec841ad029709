from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracking.management.arguments import check, storable
from tracking.models import Token


class Command(BaseCommand):
    help = "Issue an API token. The secret is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", type=storable, help="At most 100 characters.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        name = name.strip()
        check(Token(name=name), "name")
        if Token.objects.present().filter(name=name).exists():
            raise CommandError(f"A token named {name!r} already exists.")
        token, secret = Token.objects.issue(name, by="issue_token")
        issued = {"name": name, "api_token": secret, "project_id": str(token.project_id)}
        if options["json"]:
            self.stdout.write(json.dumps(issued))
        else:
            self.stdout.write("\n".join(f"{key}: {value}" for key, value in issued.items()))
