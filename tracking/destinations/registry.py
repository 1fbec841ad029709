"""Which destinations there are: a slug or a name in, a Destination class out.

Built-in ones are listed here. Other packages bring theirs by the entry point group
`hitstream.destinations`, a deployment by the setting `HITSTREAM["DESTINATIONS"]` (dotted paths).
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import entry_points

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from tracking.conf import conf
from tracking.destinations.base import Destination
from tracking.exceptions import SetupError

BUILT_IN = (
    "tracking.destinations.amplitude.Amplitude",
    "tracking.destinations.amqp.Amqp",
    "tracking.destinations.bigquery.BigQuery",
    "tracking.destinations.clickhouse.ClickHouse",
    "tracking.destinations.google_analytics.GoogleAnalytics",
    "tracking.destinations.klaviyo.Klaviyo",
    "tracking.destinations.meta.Meta",
    "tracking.destinations.mixpanel.Mixpanel",
    "tracking.destinations.object_storage.ObjectStorage",
    "tracking.destinations.postgresql.PostgreSQL",
    "tracking.destinations.posthog.PostHog",
    "tracking.destinations.segment.Segment",
    "tracking.destinations.slack.Slack",
    "tracking.destinations.tiktok.TikTok",
    "tracking.destinations.webhook.Webhook",
)
GROUP = "hitstream.destinations"

logger = logging.getLogger(__name__)


class UnknownDestinationError(SetupError):
    """No destination has this slug; is the package that brings it installed?"""


def get(slug: str) -> type[Destination]:
    """The destination with this slug. Raises UnknownDestinationError."""
    try:
        return _load(tuple(conf.DESTINATIONS))[slug]
    except KeyError:
        raise UnknownDestinationError(
            f"No destination has the slug {slug!r}; is the package that brings it installed?"
        ) from None


def all() -> tuple[type[Destination], ...]:
    """Every destination, by label."""
    found = _load(tuple(conf.DESTINATIONS)).values()
    return tuple(sorted(found, key=lambda destination: destination.label.casefold()))


def choices() -> list[tuple[str, str]]:
    """Slugs and labels, for a model's or a form's `choices=`."""
    return [(destination.slug, destination.label) for destination in all()]


def slugs_named(name: str) -> frozenset[str]:
    """The slugs of the destinations that this label, slug or alias means, in whatever case."""
    return _names(tuple(conf.DESTINATIONS)).get(name.casefold(), frozenset())


@cache
def _names(paths: tuple[str, ...]) -> dict[str, frozenset[str]]:
    named: dict[str, set[str]] = {}
    for slug, destination in _load(paths).items():
        for name in (slug, destination.label, *destination.aliases):
            named.setdefault(name.casefold(), set()).add(slug)
    return {name: frozenset(slugs) for name, slugs in named.items()}


@cache
def _load(paths: tuple[str, ...]) -> dict[str, type[Destination]]:
    found: dict[str, type[Destination]] = {}
    for path in BUILT_IN + paths:
        _add(found, import_string(path), path)
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            _add(found, entry.load(), entry.value)
        except Exception:
            # One broken package must not stop every other destination.
            logger.exception("The destination %s of the group %s is left out.", entry.name, GROUP)
    return found


def _add(found: dict[str, type[Destination]], destination: object, path: str) -> None:
    if not (isinstance(destination, type) and issubclass(destination, Destination)):
        raise ImproperlyConfigured(f"{path} is not a subclass of Destination.")
    known = found.setdefault(destination.slug, destination)
    if known is not destination:
        raise ImproperlyConfigured(
            f"{path} and {known.__module__}.{known.__qualname__} have the same slug"
            f" {destination.slug!r}."
        )
