"""The visitor's consent to ads: an Event in, what was granted and denied out.

A hit states it in `context.consent` or in the integration's options, in the words of Google's
consent mode: `ad_user_data` and `ad_personalization`, each `granted` or `denied`, true or false.
Segment's SDKs state it by category, in `context.consent.categoryPreferences`, where `Advertising`
stands for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracking.destinations.spec.coerce import as_object
from tracking.events import Event

WORDS = {"granted": True, "denied": False, "true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """None stands for a consent that the hit does not state."""

    ad_user_data: bool | None
    ad_personalization: bool | None

    @property
    def is_denied(self) -> bool:
        """Whether the visitor refused that data about them goes to advertisers."""
        return self.ad_user_data is False


def read_consent(event: Event) -> Consent:
    """Return the consent of the hit's options, else of its context."""
    stated = as_object(event.context.get("consent"))
    places = (as_object(event.options.get("consent")), event.options, stated)
    categories = as_object(stated.get("categoryPreferences"))
    ads = next(
        (_decision(categories.get(n)) for n in categories if n.lower() == "advertising"), None
    )
    return Consent(
        ad_user_data=_first(places, "ad_user_data", "adUserData", otherwise=ads),
        ad_personalization=_first(places, "ad_personalization", "adPersonalization", otherwise=ads),
    )


def read_flag(event: Event, *names: str) -> bool | None:
    """Return the first of these options of the hit that is true or false; None without one."""
    return _first((event.options,), *names, otherwise=None)


def _first(
    places: tuple[Mapping[str, Any], ...], *names: str, otherwise: bool | None
) -> bool | None:
    for place in places:
        for name in names:
            if (decision := _decision(place.get(name))) is not None:
                return decision
    return otherwise


def _decision(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return WORDS.get(value.strip().lower()) if isinstance(value, str) else None
