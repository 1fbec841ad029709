"""A Dockerfile's instructions, read as Docker reads them, as far as ours goes."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Stage:
    name: str
    base: str
    #: Instructions with their arguments, in order.
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, instruction: str) -> str:
        return [argument for name, argument in self.steps if name == instruction][-1]

    def environment(self) -> dict[str, str]:
        pairs = (
            pair.partition("=")
            for name, argument in self.steps
            if name == "ENV"
            for pair in shlex.split(argument)
        )
        return {name: value for name, _, value in pairs}

    def command(self) -> list[str]:
        return [*json.loads(self.last("ENTRYPOINT")), *json.loads(self.last("CMD"))]


def read(path: Path) -> list[Stage]:
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, argument = line.partition(" ")
        if name == "FROM":
            base, _, alias = argument.partition(" AS ")
            stages.append(Stage(alias, base))
        elif stages:
            stages[-1].steps.append((name, argument.strip()))
        else:
            assert name == "ARG"
    return stages
