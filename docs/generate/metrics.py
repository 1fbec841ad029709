"""The metrics page, from the source of `tracking/metrics/`: what /metrics answers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.generate.markdown import code, codes, joined, table
from docs.generate.pages import ROOT

METRICS = ROOT / "tracking" / "metrics"
#: Kind by the class that makes one.
FAMILIES = {"CounterMetricFamily": "counter", "GaugeMetricFamily": "gauge"}


def write() -> str:
    return joined(
        "# Metrics",
        "What `/metrics` answers to [its readers](../how-to/metrics-and-probes.md). All of it is "
        "read from Postgres, so every process answers the same.",
        table(("metric", "kind", "labels", ""), read_metrics()),
    )


def read_metrics() -> Iterator[tuple[str, str, str, str]]:
    for path in sorted(METRICS.rglob("*.py")):
        yield from Reader(path).read()


class Reader:
    """One module: its metrics, and the constants that they refer to."""

    def __init__(self, path: Path) -> None:
        self._tree = ast.parse(path.read_text(encoding="utf-8"))
        self._constants = {
            ast.unparse(node.targets[0]): node.value
            for node in self._tree.body
            if isinstance(node, ast.Assign)
        }

    def read(self) -> Iterator[tuple[str, str, str, str]]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in FAMILIES:
                kind = FAMILIES[ast.unparse(node.func)]
                name, text = (self.value(each) for each in node.args[:2])
                labels = next((each.value for each in node.keywords if each.arg == "labels"), None)
                shown = codes(self.value(labels)) if labels else ""
                yield code(f"{name}_total" if kind == "counter" else name), kind, shown, text

    def value(self, node: ast.expr) -> Any:
        """Return what a constant, a name of one, a tuple or a text with names in it stands for."""
        match node:
            case ast.Name():
                return self.value(self._constants[node.id])
            case ast.Tuple():
                return [item for each in node.elts for item in self.items(each)]
            case ast.JoinedStr():
                return "".join(str(self.value(each)) for each in node.values)
            case ast.FormattedValue():
                return self.value(node.value)
        return ast.literal_eval(node)

    def items(self, node: ast.expr) -> list[Any]:
        return list(self.value(node.value)) if isinstance(node, ast.Starred) else [self.value(node)]
