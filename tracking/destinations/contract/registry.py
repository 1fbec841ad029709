"""The registry of destinations: a slug or a name in, a Destination class out.

The built-in ones are listed here. Other packages add theirs by the entry point group
`hitstream.destinations`, a deployment by the setting `HITSTREAM["DESTINATIONS"]` (dotted paths).
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import entry_points

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from tracking.conf import conf
from tracking.destinations.contract.destination import Destination
from tracking.exceptions import SetupError

BUILT_IN = (
    "tracking.destinations.vendors.amplitude.destination.Amplitude",
    "tracking.destinations.vendors.amqp.destination.Amqp",
    "tracking.destinations.vendors.bigquery.destination.BigQuery",
    "tracking.destinations.vendors.clickhouse.destination.ClickHouse",
    "tracking.destinations.vendors.google_analytics.destination.GoogleAnalytics",
    "tracking.destinations.vendors.klaviyo.destination.Klaviyo",
    "tracking.destinations.vendors.meta.destination.MetaConversions",
    "tracking.destinations.vendors.mixpanel.destination.Mixpanel",
    "tracking.destinations.vendors.object_storage.destination.ObjectStorage",
    "tracking.destinations.vendors.postgresql.destination.PostgreSQL",
    "tracking.destinations.vendors.posthog.destination.PostHog",
    "tracking.destinations.vendors.segment.destination.Segment",
    "tracking.destinations.vendors.slack.destination.Slack",
    "tracking.destinations.vendors.tiktok.destination.TikTok",
    "tracking.destinations.vendors.webhook.destination.Webhook",
)
GROUP = "hitstream.destinations"

logger = logging.getLogger(__name__)


class UnknownDestinationError(SetupError):
    """No destination has this slug. The package that provides it may be missing."""


def get_destination(slug: str) -> type[Destination]:
    """Return the destination with this slug. Raises UnknownDestinationError."""
    try:
        return _load(tuple(conf.DESTINATIONS))[slug]
    except KeyError:
        raise UnknownDestinationError(
            f"No destination has the slug {slug!r}: install the package that provides it."
        ) from None


def all_destinations() -> tuple[type[Destination], ...]:
    """Return every destination, sorted by label."""
    destinations = _load(tuple(conf.DESTINATIONS)).values()
    return tuple(sorted(destinations, key=lambda destination: destination.label.casefold()))


def choices() -> list[tuple[str, str]]:
    """Return slugs and labels, for the `choices=` of a model or form field."""
    return [(destination.slug, destination.label) for destination in all_destinations()]


def slugs_named(name: str) -> frozenset[str]:
    """Return the slugs of the destinations that have this label, slug or alias, in any case."""
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
    by_slug: dict[str, type[Destination]] = {}
    for path in BUILT_IN + paths:
        _add(by_slug, import_string(path), path)
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            _add(by_slug, entry.load(), entry.value)
        except Exception:
            # One broken package must not disable every other destination.
            logger.exception(
                "Ignored the destination %s of the group %s: it cannot be loaded.",
                entry.name,
                GROUP,
            )
    return by_slug


def _add(by_slug: dict[str, type[Destination]], destination: object, path: str) -> None:
    if not (isinstance(destination, type) and issubclass(destination, Destination)):
        raise ImproperlyConfigured(f"{path} is not a subclass of Destination.")
    known = by_slug.setdefault(destination.slug, destination)
    if known is not destination:
        raise ImproperlyConfigured(
            f"{path} and {known.__module__}.{known.__qualname__} have the same slug"
            f" {destination.slug!r}."
        )
