"""The defaults of a new integration that the deployment sets, read when it is created."""

from __future__ import annotations

from tracking.conf import conf


def default_max_attempts() -> int:
    return conf.MAX_ATTEMPTS


def default_max_age() -> int:
    return int(conf.MAX_AGE)


def default_retry_base() -> float:
    return conf.RETRY_BASE


def default_concurrency() -> int:
    return conf.CONCURRENCY
