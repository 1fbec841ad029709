"""Settings of the app: typed attributes with defaults, read where they are used.

A deployment sets `HITSTREAM = {"DEDUP_WINDOW": 86_400, ...}` in its Django settings.
Durations are seconds, sizes bytes.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings


class Conf:
    """Attributes are read from `settings.HITSTREAM` each time, so overrides work at once."""

    # Ingest
    #: Proxies whose X-Forwarded-For is believed, as addresses or networks; "unix": whoever
    #: connects to the server's unix socket.
    TRUSTED_PROXIES: tuple[str, ...] = ()
    #: Where browsers reach us, if the request does not say so: https://hits.example.
    PUBLIC_URL: str = ""
    MAX_DEPTH: int = 100
    #: A hit that is not committed within this time is answered 503.
    REQUEST_DEADLINE: float = 1.5
    #: The same for a token that is not remembered; the two together are the longest answer.
    LOOK_UP_DEADLINE: float = 0.4
    #: What a 503 asks of the sender; at most 300.
    RETRY_AFTER: int = 5
    #: Hits waiting for the writer; past it the answer is 503.
    QUEUE_SIZE: int = 10_000
    MAX_STATEMENT_ROWS: int = 500
    STATEMENT_TIMEOUT: float = 5.0
    #: How long after the time in its id a hit may still be committed, other hosts' clocks included.
    COMMIT_LAG: float = 10.0
    LOCK_TIMEOUT: float = 0.5
    #: How long a token's lookup is remembered: the longest a revoked token still works.
    TOKEN_CACHE_SECONDS: float = 3.0
    TOKEN_CACHE_SIZE: int = 10_000
    #: A hitId repeated within this time is the same hit.
    DEDUP_WINDOW: float = 7 * 86_400
    #: How long a rotated API token still works beside its successor.
    ROTATION_GRACE: float = 7 * 86_400

    # Storage
    PARTITION_DAYS_AHEAD: int = 30
    #: Whole days that hits and what became of them are kept; None: for ever.
    HIT_DAYS: int | None = None
    #: The same for the record of requests to vendors.
    ATTEMPT_DAYS: int | None = 30

    #: What the database may grow to, in bytes; None: as much as the disk has, if we can see it.
    DISK_BYTES: int | None = None
    # Metrics
    #: Who may read /metrics: whoever sends this as `Authorization: Bearer …`, and whoever calls
    #: from these addresses or networks. With neither of them there is no /metrics.
    METRICS_TOKEN: str = ""
    METRICS_FOR: tuple[str, ...] = ()

    # Delivery
    #: The least time between two wake-ups of the dispatcher by one process.
    WAKEUP_INTERVAL: float = 1.0
    #: Beyond the destination's own timeout, how long a claimed delivery is nobody else's.
    LEASE_SLACK: float = 15.0
    #: The longest wait before the first retry; it doubles with each, up to three days.
    RETRY_BASE: float = 30.0
    MAX_ATTEMPTS: int = 15
    #: How long a delivery is tried, in seconds since it was queued.
    MAX_AGE: float = 7 * 86_400
    #: Requests in flight at once for one integration.
    CONCURRENCY: int = 16
    #: Failed requests in a row after which a destination is taken to be down.
    BREAKER_FAILURES: int = 10
    #: How long requests in flight may go on when the worker is told to stop.
    STOP_TIMEOUT: float = 10.0
    #: Encryption keys (Fernet) of integration credentials, newest first.
    SECRET_KEYS: tuple[str, ...] = ()
    ALLOW_PRIVATE_DESTINATIONS: bool = False
    #: The folder under which object storage may write to this host's own disk; empty: nowhere.
    LOCAL_FOLDER: str = ""
    #: Further destinations, as dotted paths to their classes.
    DESTINATIONS: tuple[str, ...] = ()

    def given(self) -> dict[str, Any]:
        """What the deployment sets itself."""
        given: dict[str, Any] = getattr(settings, "HITSTREAM", {})
        return given

    def __getattribute__(self, name: str) -> Any:
        if name.isupper():
            given = getattr(settings, "HITSTREAM", {})
            if name in given:
                return given[name]
        return super().__getattribute__(name)


conf = Conf()
