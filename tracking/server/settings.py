"""The deployment's settings, from the environment. Every secret may be in a file instead, which the
variable with _FILE after its name names.
"""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from tracking.server.database import role_of_this_process, settings_of
from tracking.server.environment import broker_address, flag, listed, needed, number, secret, text
from tracking.server.logs import FORMATTERS, with_request_id, without_traceback
from tracking.server.static_files import storage_of_static_files

SERVER = Path(__file__).resolve().parent
#: A wheel has the templates in its package, a checkout beside it.
CHECKOUT = SERVER.parents[1]
TEMPLATE_FOLDERS = [SERVER / "templates"]
if (CHECKOUT / "pyproject.toml").is_file():
    TEMPLATE_FOLDERS.append(CHECKOUT / "templates")

DEBUG = flag("DEBUG")
SECRET_KEY = needed("DJANGO_SECRET_KEY")
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "tracking",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    # The translations of ages.
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "tracking.server.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tracking.presentation.replica_reads.ReadYourWrites",
    "tracking.server.middleware.AdminPolicy",
    "tracking.server.middleware.DatabaseAway",
]
ROOT_URLCONF = "tracking.server.urls"
WSGI_APPLICATION = "tracking.server.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": TEMPLATE_FOLDERS,
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DATABASES = {
    "default": settings_of(
        needed("DATABASE_URL"), role_of_this_process(), pool=number("HITSTREAM_POOL", 20)
    )
}
# Pages of the console read from a replica while it lags no more than HITSTREAM_REPLICA_LAG seconds.
REPLICA_URL = secret("DATABASE_REPLICA_URL")
if REPLICA_URL:
    DATABASES["replica"] = settings_of(
        REPLICA_URL,
        role_of_this_process(),
        pool=number("HITSTREAM_POOL", 20),
        variable="DATABASE_REPLICA_URL",
        hosts="prefer-standby",
    )
    DATABASE_ROUTERS = ["tracking.router.ReplicaRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator")
]

LANGUAGE_CODE = "en"
LANGUAGES = [("de", "Deutsch"), ("en", "English"), ("es", "Español"), ("ru", "Русский")]
TIME_ZONE = text("TIME_ZONE", "UTC")
USE_I18N = True
FORMAT_MODULE_PATH = ["tracking.server.formats"]
# As the console writes them, also in the pages that are Django's own.
USE_THOUSAND_SEPARATOR = True
USE_TZ = True
STATIC_URL = "static/"
# Collected files have hashed names and are cached for ever; without STATIC_ROOT, or before
# `collectstatic`, they are served straight from the packages.
STATIC_ROOT = text("STATIC_ROOT") or None
COLLECTED = STATIC_ROOT is not None and (Path(STATIC_ROOT) / "staticfiles.json").is_file()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": storage_of_static_files(STATIC_ROOT, collected=COLLECTED)},
}
STATICFILES_FINDERS = ["tracking.server.static_files.ServedFinder"]
WHITENOISE_USE_FINDERS = not COLLECTED
WHITENOISE_AUTOREFRESH = False

SECURE_CONTENT_TYPE_NOSNIFF = True
BEHIND_TLS_PROXY = flag("BEHIND_TLS_PROXY")
SESSION_COOKIE_SECURE = flag("COOKIES_SECURE", "1" if BEHIND_TLS_PROXY else "")
CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SESSION_COOKIE_SECURE
LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE = True, "Lax"
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = number("HSTS_SECONDS", 31_536_000)
    # Console and admin. Senders and probes reach the other routes as they always did.
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^(?!admin/|console/|$)"]
    # Subdomains and the browsers' own list concern more than this server: the proxy may set both.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

CELERY_BROKER_URL = broker_address(needed("BROKER_URL"))
# A broker that goes silent is taken for lost after a few seconds; by default Celery waits for ever.
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}
if CELERY_BROKER_URL.startswith("amqp"):
    CELERY_BROKER_HEARTBEAT = 4
    CELERY_BROKER_TRANSPORT_OPTIONS = {"confirm_publish": True, "write_timeout": 5.0}
if CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_timeout": 5.0,
        "socket_connect_timeout": 5.0,
        "socket_keepalive": True,
        "health_check_interval": 5,
    }
# All processes share the cache, so that a token's rate limit is counted once. The broker is the
# cache, too, if it can be.
CACHE_URL = secret("CACHE_URL") or (
    CELERY_BROKER_URL if CELERY_BROKER_URL.startswith("redis") else ""
)
if CACHE_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": CACHE_URL.replace("redis+socket://", "unix://"),
            "OPTIONS": {"socket_timeout": 0.2, "socket_connect_timeout": 0.2},
        }
    }

# The mail of alerts.
EMAIL_HOST = text("EMAIL_HOST", "localhost")
EMAIL_PORT = number("EMAIL_PORT", 25)
EMAIL_HOST_USER = text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = secret("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS, EMAIL_USE_SSL = flag("EMAIL_USE_TLS"), flag("EMAIL_USE_SSL")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = text("DEFAULT_FROM_EMAIL", "hitstream@localhost")

# `manage.py spectacular` prints what /api/schema serves.
SPECTACULAR_SETTINGS = {"DEFAULT_GENERATOR_CLASS": "tracking.openapi.generator.Generator"}

HITSTREAM: dict[str, object] = {
    "REPLICA": "replica" if REPLICA_URL else "",
    "REPLICA_LAG": number("HITSTREAM_REPLICA_LAG", 5),
    "TRUSTED_PROXIES": tuple(listed("HITSTREAM_TRUSTED_PROXIES")),
    "PUBLIC_URL": text("HITSTREAM_PUBLIC_URL"),
    "SECRET_KEYS": tuple(secret("HITSTREAM_SECRET_KEYS").replace(",", " ").split()),
    "ALLOW_PRIVATE_DESTINATIONS": flag("HITSTREAM_ALLOW_PRIVATE_DESTINATIONS"),
    "OUTBOUND_PROXY": secret("HITSTREAM_OUTBOUND_PROXY"),
    "SPOOL": text("HITSTREAM_SPOOL"),
    "SPOOL_BYTES": number("HITSTREAM_SPOOL_BYTES", 1024**3),
    "HIT_DAYS": number("HITSTREAM_HIT_DAYS"),
    "ATTEMPT_DAYS": number("HITSTREAM_ATTEMPT_DAYS", 30),
    "DISK_BYTES": number("HITSTREAM_DISK_BYTES"),
    "MAX_OPEN_REQUESTS": number("HITSTREAM_MAX_OPEN_REQUESTS", 1000),
    "METRICS_TOKEN": secret("HITSTREAM_METRICS_TOKEN"),
    "METRICS_FOR": tuple(listed("HITSTREAM_METRICS_FOR")),
    "LOCAL_FOLDER": text("HITSTREAM_LOCAL_FOLDER"),
}

#: Of the web server, `tracking.server.app`.
WEB: dict[str, int] = {
    # Django's threads for pages in each process, and those for hits.
    "threads": number("HITSTREAM_THREADS", 32, least=1),
    "ingest_threads": number("HITSTREAM_INGEST_THREADS", 16, least=1),
    # Requests that may wait for a thread before 503 is answered.
    "max_waiting": number("HITSTREAM_MAX_WAITING", 1000, least=1),
    # Seconds for a whole body before 408 is answered.
    "body_timeout": number("HITSTREAM_BODY_TIMEOUT", 10, least=1),
    # Seconds until a client that reads a large answer is cut off, or one that reads nothing.
    "answer_timeout": number("HITSTREAM_ANSWER_TIMEOUT", 60, least=1),
}

LOG_FORMAT = text("HITSTREAM_LOG_FORMAT", "line")
if LOG_FORMAT not in FORMATTERS:
    raise ImproperlyConfigured(f"HITSTREAM_LOG_FORMAT must be line or json, not {LOG_FORMAT!r}")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"chosen": {"()": FORMATTERS[LOG_FORMAT]}},
    "filters": {
        # A 503 is logged once, where it happens, not with every request.
        "no_503": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", None) != 503,
        },
        "one_line": {
            "()": "django.utils.log.CallbackFilter",
            "callback": without_traceback,
        },
        "request_id": {
            "()": "django.utils.log.CallbackFilter",
            "callback": with_request_id,
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "chosen",
            "filters": ["no_503", "one_line", "request_id"],
        }
    },
    "root": {"handlers": ["console"], "level": text("LOG_LEVEL", "INFO")},
    # A refused hit is an answer, not an incident.
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
    },
}
