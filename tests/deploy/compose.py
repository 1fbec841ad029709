"""compose.yaml without Docker: its services as processes, with the paths of this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.debian import DEPLOY, PATH

#: What compose replaces: ${NAME} and ${NAME:-default}.
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


@dataclass(frozen=True)
class Compose:
    """`variables` are those of the operator's shell, `places` what containers see elsewhere than
    this machine has it."""

    variables: dict[str, str]
    places: dict[str, str]

    @property
    def services(self) -> dict[str, Any]:
        services: dict[str, Any] = self.read()["services"]
        return services

    def read(self) -> dict[str, Any]:
        text = (DEPLOY / "compose.yaml").read_text()
        filled = VARIABLE.sub(lambda found: self.variables.get(found[1], found[2] or ""), text)
        read: dict[str, Any] = yaml.safe_load(filled)
        return read

    def here(self, text: str) -> str:
        """Return a text of the file with the places of this machine."""
        text = text.replace("$$", "$")
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text

    def command(self, service: str) -> list[str]:
        """Return what the container runs: the image's entrypoint is `hitstream`."""
        of = self.services[service]
        image = ["hitstream"] if of["image"].endswith("hitstream") else []
        return [self.here(part) for part in (*of.get("entrypoint", image), *of["command"])]

    def environment(self, service: str, command: Path) -> dict[str, str]:
        of = self.services[service].get("environment", {})
        return {
            "PATH": f"{command.parent}:{PATH}",
            **{name: self.here(str(value)) for name, value in of.items()},
        }
