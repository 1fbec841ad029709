"""The hits that a request carried. Outcomes have no index by attempt, so only those that are likely
are read: the hits whose ids stand in the request, and the last ones that arrived before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from uuid import UUID

from tracking.models.deliveries.attempt import Attempt
from tracking.models.deliveries.outcome import Outcome
from tracking.models.hits.hit import Hit

#: Hits that are shown of one request.
SHOWN = 20
#: Outcomes of the integration that are read, and ids of the request that are looked up.
REACH, NAMED = 2_000, 200
UUIDS = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def attempt_hits(attempt: Attempt) -> list[Hit]:
    """Return the first hits of the request, the latest first; none if they are not among those."""
    outcomes = Outcome.objects.filter(integration=attempt.integration_id)
    named = outcomes.filter(hit_id__in=_named(attempt), attempt_id=attempt.pk)
    carried = set(named.values_list("hit_id", flat=True))
    if len(carried) < min(attempt.hits, SHOWN):
        last = outcomes.filter(hit_id__lte=attempt.pk).order_by("-hit_id")
        pairs = last.values_list("hit_id", "attempt_id")[:REACH]
        carried |= {hit_id for hit_id, attempt_id in pairs if attempt_id == attempt.pk}
    wanted = sorted(carried, reverse=True)[:SHOWN]
    return list(Hit.objects.filter(pk__in=wanted).order_by("-pk"))


def _named(attempt: Attempt) -> Iterable[UUID]:
    text = f"{json.dumps(attempt.request_headers)} {attempt.request_body}".lower()
    return [UUID(each) for each in dict.fromkeys(UUIDS.findall(text))][:NAMED]
