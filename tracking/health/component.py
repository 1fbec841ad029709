"""A component and its state, as every page, probe and alert shows them.

A component is cached and shown to readers of several languages, so its sentence is lazy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.functional import lazy
from django.utils.translation import gettext

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class ComponentState(StrEnum):
    """`bad`: nothing works without the component. `poor`: hits are still accepted, but an operator
    must act."""

    GOOD = "good"
    POOR = "poor"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """`kind` is marked for translation; `node` names one of several. `said` is one sentence: the
    state, and what to do if it is not good."""

    kind: str
    node: str = ""
    state: ComponentState
    said: StrOrPromise

    @property
    def key(self) -> str:
        """The English name, for programs."""
        return f"{self.kind} {self.node}".strip()

    @property
    def name(self) -> str:
        return f"{gettext(self.kind)} {self.node}".strip()

    @property
    def is_good(self) -> bool:
        return self.state == ComponentState.GOOD


def good(kind: str, said: StrOrPromise, node: str = "") -> Component:
    return Component(kind=kind, node=node, state=ComponentState.GOOD, said=said)


def poor(kind: str, said: StrOrPromise, node: str = "") -> Component:
    return Component(kind=kind, node=node, state=ComponentState.POOR, said=said)


def bad(kind: str, said: StrOrPromise, node: str = "") -> Component:
    return Component(kind=kind, node=node, state=ComponentState.BAD, said=said)


def fill(message: StrOrPromise, **values: Any) -> StrOrPromise:
    """Return the lazy message with its named places filled when it is read."""
    return lazy(lambda: message % values, str)()
