"""A part and how it is: what every page, probe and alert says of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """`bad`: nothing works without it. `poor`: hits are still taken, but somebody has to act."""

    GOOD = "good"
    POOR = "poor"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`said` is one sentence: how it is, and what to do where it is not good."""

    name: str
    state: State
    said: str

    @property
    def is_good(self) -> bool:
        return self.state == State.GOOD


def good(name: str, said: str) -> Part:
    return Part(name=name, state=State.GOOD, said=said)


def poor(name: str, said: str) -> Part:
    return Part(name=name, state=State.POOR, said=said)


def bad(name: str, said: str) -> Part:
    return Part(name=name, state=State.BAD, said=said)
