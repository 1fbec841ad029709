"""Settings of the app: typed attributes with defaults.

A deployment sets `HITSTREAM = {"DEDUP_WINDOW": 86_400, ...}` in its Django settings.
Durations are seconds, sizes bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed


class Conf:
    """The settings and their defaults."""

    # The project around it
    #: The admin site that holds Hitstream's forms, as a dotted path to the instance:
    #: "shop.sites.staff". Its module must import neither URLs nor Hitstream. Empty: the default
    #: site.
    ADMIN_SITE: str = ""
    #: The database that tracking.router.HitstreamRouter sends Hitstream's tables to, as an alias of
    #: DATABASES.
    DATABASE: str = "hitstream"

    #: A streaming replica for the reads of the console's pages, as an alias of DATABASES; with
    #: tracking.router.ReplicaRouter and the middleware ReadYourWrites. Empty: none.
    REPLICA: str = ""
    #: Above this lag pages read from the primary; as long they do so after a change.
    REPLICA_LAG: float = 5.0

    # Ingest
    #: Proxies whose X-Forwarded-For is trusted, as addresses or networks; "unix": every peer of the
    #: server's unix socket.
    TRUSTED_PROXIES: tuple[str, ...] = ()
    #: The address by which browsers reach Hitstream, if requests do not tell: https://hits.example.
    PUBLIC_URL: str = ""
    MAX_DEPTH: int = 100
    #: A hit that is not committed within this time gets a 503.
    REQUEST_DEADLINE: float = 1.5
    #: The same for the look-up of a token that is not cached; the sum of both is the longest
    #: answer.
    LOOK_UP_DEADLINE: float = 0.4
    #: The Retry-After of a 503; at most 300.
    RETRY_AFTER: int = 5
    #: Hits that wait for the writer; beyond that senders get a 503.
    QUEUE_SIZE: int = 10_000
    MAX_STATEMENT_ROWS: int = 500
    #: Deliveries that one statement queues at most: hits of a token with many integrations are
    #: stored in several.
    MAX_STATEMENT_DELIVERIES: int = 10_000
    STATEMENT_TIMEOUT: float = 5.0
    #: How long after the time in its id a hit may be committed, different clocks of hosts included.
    COMMIT_LAG: float = 10.0
    LOCK_TIMEOUT: float = 0.5
    #: How long a token look-up is cached: the longest time that a revoked token still works.
    TOKEN_CACHE_SECONDS: float = 3.0
    TOKEN_CACHE_SIZE: int = 10_000
    #: A hitId that arrives again within this time is a duplicate.
    DEDUP_WINDOW: float = 7 * 86_400
    #: How long a rotated API token works beside its successor.
    ROTATION_GRACE: float = 7 * 86_400

    #: The folder on this node's disk where hits wait while Postgres is away; empty: they get a 503.
    SPOOL: str = ""
    #: Bytes that may wait there; beyond that senders get a 503.
    SPOOL_BYTES: int = 1024**3
    #: A hit that Postgres does not commit within this time goes to the spool; less than
    #: REQUEST_DEADLINE.
    SPOOL_AFTER: float = 1.0

    # Storage
    PARTITION_DAYS_AHEAD: int = 30
    #: Whole days for which hits and their outcomes are kept; None: for ever.
    HIT_DAYS: int | None = None
    #: The same for the record of requests to vendors.
    ATTEMPT_DAYS: int | None = 30

    #: Bytes that the database may grow to; None: the size of the disk, if Hitstream can see it.
    DISK_BYTES: int | None = None
    # Metrics
    #: Who may read /metrics: senders of `Authorization: Bearer <token>`, and callers from these
    #: addresses or networks. Without either, /metrics is off.
    METRICS_TOKEN: str = ""
    METRICS_FOR: tuple[str, ...] = ()

    # Delivery
    #: The least time between two wake-ups of the dispatcher.
    WAKEUP_INTERVAL: float = 1.0
    #: How long a claim lasts beyond the destination's own timeout.
    LEASE_SLACK: float = 15.0
    #: The longest wait before the first retry; it doubles with each retry, up to three days.
    RETRY_BASE: float = 30.0
    MAX_ATTEMPTS: int = 15
    #: How long a delivery is tried, from the moment it was queued.
    MAX_AGE: float = 7 * 86_400
    #: Concurrent requests of one integration.
    CONCURRENCY: int = 16
    #: Concurrent requests of one worker process, divided among its integrations.
    MAX_OPEN_REQUESTS: int = 1_000
    #: Consecutive failed requests after which a destination counts as down.
    BREAKER_FAILURES: int = 10
    #: How long requests in flight may go on after the worker is stopped.
    STOP_TIMEOUT: float = 10.0
    #: Encryption keys (Fernet) of integration credentials, newest first.
    SECRET_KEYS: tuple[str, ...] = ()
    ALLOW_PRIVATE_DESTINATIONS: bool = False
    #: The HTTP proxy through which all destinations are called: http://[user:password@]host:port.
    #: It resolves their names and has to refuse private addresses itself.
    OUTBOUND_PROXY: str = ""
    #: The folder on this host's disk in which object storage may write; empty: none.
    LOCAL_FOLDER: str = ""
    #: Further destinations, as dotted paths to their classes.
    DESTINATIONS: tuple[str, ...] = ()


if TYPE_CHECKING:
    Attributes = Conf
else:
    # Reader has them in its own dictionary: the quickest way to an attribute.
    Attributes = object


class Reader(Attributes):
    """The values of this process. A hit reads a dozen, so `settings.HITSTREAM` is read once for
    each attribute. It is read again after Django's signal `setting_changed`, which overrides in
    tests send."""

    def given(self) -> dict[str, Any]:
        """Return what the deployment sets itself."""
        given: dict[str, Any] = getattr(settings, "HITSTREAM", {})
        return given

    def __getattr__(self, name: str) -> Any:
        given = self.given()
        value = given[name] if name in given else getattr(Conf, name)
        self.__dict__[name] = value
        return value

    def forget(self, *, setting: str, **kwargs: Any) -> None:
        if setting == "HITSTREAM":
            self.__dict__.clear()


conf = Reader()
setting_changed.connect(conf.forget)
