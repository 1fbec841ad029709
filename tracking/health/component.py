"""A component and its state, as every page, probe and alert shows them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ComponentState(StrEnum):
    """`bad`: nothing works without the component. `poor`: hits are still accepted, but an operator
    must act."""

    GOOD = "good"
    POOR = "poor"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """`said` is one sentence: the state, and what to do if it is not good."""

    name: str
    state: ComponentState
    said: str

    @property
    def is_good(self) -> bool:
        return self.state == ComponentState.GOOD


def good(name: str, said: str) -> Component:
    return Component(name=name, state=ComponentState.GOOD, said=said)


def poor(name: str, said: str) -> Component:
    return Component(name=name, state=ComponentState.POOR, said=said)


def bad(name: str, said: str) -> Component:
    return Component(name=name, state=ComponentState.BAD, said=said)
