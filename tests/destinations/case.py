"""How the contract's tests set a destination up: CASE in `vendors/<slug>/case.py`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.vendor import Answer, reply
from tracking.destinations.contract.config_form import ConfigForm
from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.request import Request


def read_json(body: bytes) -> Any:
    return json.loads(body)


def read_lines(body: bytes) -> Any:
    return [json.loads(line) for line in body.splitlines()]


@dataclass(frozen=True, kw_only=True)
class Case:
    """`config` is what an operator types; `{url}` in it is the vendor's address, which also takes
    the place of all of the destination's `hosts`. `accepts` is the vendor's answer to a batch that
    it takes, `verifies` to `verify`. `changing` are headers, in lower case, that are never twice
    the same. `read` makes a body readable for the goldens."""

    config: Mapping[str, Any]
    accepts: Answer = field(default_factory=reply)
    verifies: Answer = field(default_factory=reply)
    changing: frozenset[str] = frozenset()
    read: Callable[[bytes], Any] = read_json

    def fill(self, kind: type[Destination], url: str) -> ConfigForm:
        form = kind.Config(
            {
                name: value.replace("{url}", url) if isinstance(value, str) else value
                for name, value in self.config.items()
            }
        )
        assert form.is_valid(), form.errors
        return form

    def make(self, kind: type[Destination], url: str) -> Destination:
        """The destination as it would come out of the database."""
        plain, secrets = self.fill(kind, url).split()
        return kind(json.loads(json.dumps({**plain, **secrets})))

    def show(self, request: Request) -> dict[str, Any]:
        """The request as a golden has it."""
        headers = {k: v for k, v in request.headers.items() if k.lower() not in self.changing}
        shown = {"method": request.method, "url": request.url, "headers": headers}
        return {**shown, "body": self.read(request.body) if request.body else None}


def folder(kind: type[Destination]) -> str:
    """The name of its folder in vendors/: its slug, as Python spells it."""
    return kind.slug.replace("-", "_")


def case_of(kind: type[Destination]) -> Case:
    module = importlib.import_module(f"tests.destinations.vendors.{folder(kind)}.case")
    case: Case = module.CASE
    return case
