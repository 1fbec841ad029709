"""The differences between a stored hit and the hit as it was sent, as far as they are visible
afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.models.hits.hit import Clock, Hit
from tracking.models.tokens.privacy import IpPolicy

#: The lengths of a column for free text, and of a stored user agent.
MAX_TEXT, MAX_USER_AGENT = 255, 512
REPLACED = "\ufffd"
#: The places in the payload that become a column, in both of its shapes.
PLACES = {
    "hit_id": (("hitId",), ("messageId",)),
    "user_id": (("event", "user", "userId"), ("user", "userId"), ("userId",)),
    "anonymous_id": (("event", "user", "anonymousId"), ("user", "anonymousId"), ("anonymousId",)),
    "email_hash": (
        *(("event", "user", "emailHash"), ("user", "emailHash")),
        *(("traits", "emailHash"), ("emailHash",)),
    ),
    "name": (("event", "name"), ("event",), ("name",), ("properties", "name")),
}
CUT = {
    "hit_id": gettext_lazy("The hitId was cut to %(most)s characters."),
    "user_id": gettext_lazy("The user id was cut to %(most)s characters."),
    "anonymous_id": gettext_lazy("The anonymous id was cut to %(most)s characters."),
    "email_hash": gettext_lazy("The e-mail hash was cut to %(most)s characters."),
    "name": gettext_lazy("The event name was cut to %(most)s characters."),
}
NUMBER = {
    "hit_id": gettext_lazy("The hitId was sent as a number and is stored as text."),
    "user_id": gettext_lazy("The user id was sent as a number and is stored as text."),
    "anonymous_id": gettext_lazy("The anonymous id was sent as a number and is stored as text."),
    "email_hash": gettext_lazy("The e-mail hash was sent as a number and is stored as text."),
    "name": gettext_lazy("The event name was sent as a number and is stored as text."),
}


def normalisations(hit: Hit, policy: str) -> Iterator[str]:
    """Yield a sentence for each difference. `policy` is the token's IP policy when the hit arrived,
    empty if unknown."""
    if hit.hit_id == str(hit.pk):
        yield _(
            "The sender set no hitId, so the Hitstream ID is its hitId: the same hit sent again is"
            " not a duplicate."
        )
    yield from _times(hit)
    yield from _address(hit, policy)
    yield from _texts(hit)
    if REPLACED in json.dumps(hit.payload, ensure_ascii=False):
        yield _(
            "The character %(character)s replaces one that Postgres cannot hold (NUL, half of a"
            " surrogate pair), unless the sender sent it itself."
        ) % {"character": REPLACED}


def _times(hit: Hit) -> Iterator[str]:
    if hit.clock == Clock.CORRECTED:
        timestamp = hit.payload.get("timestamp") or hit.payload.get("originalTimestamp")
        passed = (hit.received_at - hit.sent_at).total_seconds()
        text = (
            _(
                "By the sender's clock the event occurred at %(time)s and was sent %(seconds)s s"
                " before it was received. The event's time was corrected by the server's clock."
            )
            if passed >= 0
            else _(
                "By the sender's clock the event occurred at %(time)s and was sent %(seconds)s s"
                " after it was received. The event's time was corrected by the server's clock."
            )
        )
        yield text % {"time": timestamp, "seconds": f"{abs(passed):,.3f}"}
    elif hit.clock == Clock.CAPPED:
        yield _(
            "By the sender's clock the event occurred after it was received: the hit has"
            " %(times)s. The event's time is that of receipt."
        ) % {"times": _sender_times(hit)}
    elif hit.clock == Clock.UNREADABLE:
        yield _(
            "The sender's time is not one that can be read: the hit has %(times)s. The event's"
            " time is that of receipt."
        ) % {"times": _sender_times(hit)}


def _sender_times(hit: Hit) -> str:
    """Return the times in the payload, as they were sent."""
    names = ("timestamp", "originalTimestamp", "sentAt")
    found = {name: hit.payload[name] for name in names if hit.payload.get(name) is not None}
    if not found:
        return _("the sentAt of its batch")
    return ", ".join(
        f"{name} {json.dumps(value, ensure_ascii=False)[:80]}" for name, value in found.items()
    )


def _address(hit: Hit, policy: str) -> Iterator[str]:
    if policy == IpPolicy.DROP and hit.ip is None:
        yield _("The token's policy was to drop IP addresses: the sender's was never stored.")
    if policy == IpPolicy.ANONYMISE and hit.ip is not None:
        yield _(
            "The token's policy was to anonymise IP addresses: the sender's is stored shortened."
        )


def _texts(hit: Hit) -> Iterator[str]:
    for column, places in PLACES.items():
        stored = getattr(hit, column)
        values = [value for value in (_at(hit.payload, place) for place in places) if value]
        if any(_is_cut(value, stored) for value in values):
            yield CUT[column] % {"most": f"{MAX_TEXT:,}"}
        elif any(_is_number(value) and str(value) == stored for value in values):
            yield str(NUMBER[column])
    if not hit.name and _at(hit.payload, ("event", "name")) not in (None, ""):
        yield _("`event.name` is not a text, so the hit has no event name.")
    if len(hit.user_agent) == MAX_USER_AGENT:
        text = _("At most %(most)s characters of the user agent are kept.")
        yield text % {"most": f"{MAX_USER_AGENT:,}"}


def _is_cut(value: Any, stored: str) -> bool:
    return isinstance(value, str) and len(value) > MAX_TEXT and value[:MAX_TEXT] == stored


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _at(payload: Any, place: tuple[str, ...]) -> Any:
    for key in place:
        payload = payload.get(key) if isinstance(payload, Mapping) else None
    return payload
