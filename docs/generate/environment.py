"""What each environment variable of the deployment does, in groups.

`settings.names_in_code` reads the names from the code; a test keeps the two equal.
"""

from __future__ import annotations

VARIABLES: dict[str, dict[str, str]] = {
    "Servers and keys": {
        "DATABASE_URL": "The database, in libpq's form: `postgresql://user@host/database`. "
        "Several hosts are separated by commas, `host1:5432,host2:5432`; the one that takes "
        "writes is used. Postgres 14 or later. `make run` has its own.",
        "BROKER_URL": "The broker: Valkey, Redis ≥ 6.2 or RabbitMQ. With Valkey or Redis it is "
        "also Django's cache. `make run` has its own.",
        "CACHE_URL": "Valkey or Redis as Django's cache, where the broker is RabbitMQ.",
        "HITSTREAM_POOL": "Connections to Postgres that a process opens at most for pages and "
        "tasks.",
        "STATIC_ROOT": "The folder for `hitstream manage collectstatic`; without it static files "
        "are served from the packages.",
        "DJANGO_SECRET_KEY": "Django's `SECRET_KEY`.",
        "HITSTREAM_SECRET_KEYS": "Fernet keys for the credentials of integrations, newest first, "
        "separated by commas. Lose them and the credentials have to be entered again.",
        "HITSTREAM_VAR": "The folder where `make run` keeps everything; `var/` of the clone.",
    },
    "Requests and proxies": {
        "ALLOWED_HOSTS": "Hosts that the console and the admin answer to, separated by commas.",
        "CSRF_TRUSTED_ORIGINS": "Django's setting of that name, separated by commas.",
        "BEHIND_TLS_PROXY": "`1` behind a proxy that sets X-Forwarded-Proto: console and admin are "
        "then for https alone, with HSTS and secure cookies.",
        "COOKIES_SECURE": "`1`: session and CSRF cookies travel over TLS only; the default "
        "behind a TLS proxy.",
        "HSTS_SECONDS": "Seconds for which browsers use https only, behind a TLS proxy.",
        "HITSTREAM_TRUSTED_PROXIES": "Addresses and networks whose X-Forwarded-For, -Proto and "
        "-Host are believed, separated by commas; `unix` for connections over a unix socket.",
        "HITSTREAM_PUBLIC_URL": "Where browsers reach the server, if the request does not show it.",
    },
    "Storage and destinations": {
        "DATABASE_REPLICA_URL": "A streaming replica from which pages of the console read.",
        "HITSTREAM_REPLICA_LAG": "Seconds that it may lag; above that the primary is read.",
        "HITSTREAM_SPOOL": "The folder where hits wait while Postgres is away; empty: none.",
        "HITSTREAM_SPOOL_BYTES": "Bytes that may wait there, for all web processes of the node.",
        "HITSTREAM_HIT_DAYS": "Whole days that hits and their outcomes are kept; empty: for ever.",
        "HITSTREAM_ATTEMPT_DAYS": "Whole days that the record of requests to vendors is kept.",
        "HITSTREAM_DISK_BYTES": "The size that the database may grow to, where Postgres runs on "
        "another machine: the console, alerts and metrics then show how much is left.",
        "HITSTREAM_ALLOW_PRIVATE_DESTINATIONS": "`1`: destinations may have private, loopback and "
        "reserved addresses. `make run` switches it on where HOST is a loopback address.",
        "HITSTREAM_OUTBOUND_PROXY": "The HTTP proxy through which all destinations are called, "
        "`http://[user:password@]host:port`. It resolves their names, so it has to refuse private "
        "addresses itself. `HTTPS_PROXY` and the like are ignored.",
        "HITSTREAM_MAX_OPEN_REQUESTS": "Requests to destinations that one worker process has open "
        "at once, divided among its integrations.",
        "HITSTREAM_LOCAL_FOLDER": "The folder under which the destination *Object storage* may "
        "write to this host's disk; empty: nowhere.",
    },
    "Metrics and mail": {
        "HITSTREAM_METRICS_TOKEN": "Requests with `Authorization: Bearer …` and this token may "
        "read `/metrics`.",
        "HITSTREAM_METRICS_FOR": "Addresses and networks that may read `/metrics`, separated by "
        "commas. With neither it is 404.",
        "EMAIL_HOST": "The mail server for alerts.",
        "EMAIL_PORT": "Its port.",
        "EMAIL_HOST_USER": "The account there.",
        "EMAIL_HOST_PASSWORD": "The password of the account.",
        "EMAIL_USE_TLS": "`1`: STARTTLS.",
        "EMAIL_USE_SSL": "`1`: TLS from the start.",
        "DEFAULT_FROM_EMAIL": "The sender of alerts.",
    },
    "Errors and traces": {
        "SENTRY_DSN": "Where Sentry takes errors; needs the extra `sentry`. "
        "[What is sent](../how-to/logs-and-traces.md#sentry).",
        "SENTRY_RELEASE": "The release that the errors are of; Hitstream's version.",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "The collector of OpenTelemetry, `http://host:4318`; needs "
        "the extra `otel`. The exporter reads the other `OTEL_EXPORTER_OTLP_*`, the SDK "
        "`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_BSP_*`. "
        "[What is sent](../how-to/logs-and-traces.md#opentelemetry).",
        "OTEL_EXPORTER_OTLP_HEADERS": "Headers for the collector, `name=value`, separated by "
        "commas.",
        "OTEL_TRACES_SAMPLER_ARG": "The part of the hits that have a trace, 0 to 1.",
        "HITSTREAM_SEND_TRACEPARENT": "`1`: requests to destinations carry a `traceparent`.",
    },
    "The web server and `make run`": {
        "HOST": "The address that `make run` listens on.",
        "PORT": "The port that `make run` listens on.",
        "HITSTREAM_WORKERS": "Processes of the web server; one per core, at least 2. SIGHUP to "
        "its first process replaces them.",
        "HITSTREAM_RESTART_DELAY": "Seconds before `make run` starts a dead program again; "
        "0.5, doubled with each death.",
        "HITSTREAM_THREADS": "Django's threads for pages in each process.",
        "HITSTREAM_INGEST_THREADS": "Django's threads for hits in each process.",
        "HITSTREAM_MAX_WAITING": "Requests that may wait for a thread; more are answered 503.",
        "HITSTREAM_BODY_TIMEOUT": "Seconds for a whole body; then 408 is answered.",
        "HITSTREAM_ANSWER_TIMEOUT": "Seconds after which a connection ends whose client has not "
        "read a large answer, or reads nothing.",
        "TIME_ZONE": "The time zone of commands, e-mails and the admin.",
        "LOG_LEVEL": "The level of the log.",
        "HITSTREAM_LOG_FORMAT": "`line`, or `json`: an object in each line of the log.",
        "NO_COLOR": "Set: the log of `make run` has no colours.",
        "DEBUG": "`1`: Django's debug pages. Never on a server.",
    },
}
