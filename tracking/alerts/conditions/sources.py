"""Tokens that send nothing.

A token that a rule names must have sent a new hit in the rule's minutes, always. Of all other
tokens those that usually do: on at least so many of the last seven days they sent hits in the hours
(of UTC) that these minutes lie in. A shop that is quiet at night raises no alert at night.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from tracking.models import AlertRule, Token
from tracking.models.alerts.alert import Finding
from tracking.models.ledger.alert_stats import regular_senders, tokens_with_hits_since

DAYS = 7
USUAL_DAYS = 4


def find_silent_tokens(rule: AlertRule) -> Iterator[Finding]:
    now = timezone.now()
    since = now - rule.window
    tokens = [token for token in rule.tokens() if token.is_usable and token.created_at <= since]
    ids = [token.pk for token in tokens]
    heard = tokens_with_hits_since(ids, since)
    expected = set(ids) if rule.token_id else usual(ids, since, now)
    for token in tokens:
        if token.pk in expected and token.pk not in heard:
            yield Finding(subject=f"token:{token.pk}", token=token, message=say(rule, token))


def usual(ids: list[int], since: datetime, now: datetime) -> set[int]:
    past = [timedelta(days=n) for n in range(1, DAYS + 1)]
    days = regular_senders(ids, [hour - ago for hour in hours(since, now) for ago in past])
    return {token_id for token_id, count in days.items() if count >= USUAL_DAYS}


def hours(since: datetime, now: datetime) -> list[datetime]:
    """Return the hours that the time lies in; for a window of a day or more, all hours of a day."""
    first = since.replace(minute=0, second=0, microsecond=0)
    count = int((now - first) / timedelta(hours=1)) + 1
    return [first + timedelta(hours=n) for n in range(min(count, 24))]


def say(rule: AlertRule, token: Token) -> str:
    usually = "" if rule.token_id else ", though it usually does at this hour"
    return (
        f"{token} sent no hit in the last {rule.minutes} minutes{usually}. Look whether its sender "
        "runs, and whether it is answered 204."
    )
