"""The deployment's settings, from the environment.

Without DATABASE_URL and BROKER_URL the embedded servers of `make run` are used. Secrets come from
the environment, else from the files that `make run` keeps in `var/`.
"""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from project.embedded.paths import broker_url, database_url, read_secret
from project.logs import FORMATTERS, without_traceback

BASE_DIR = Path(__file__).resolve().parent.parent


def flag(name: str, default: str = "") -> bool:
    return os.environ.get(name, default).lower() in {"1", "true", "yes", "on"}


def number(name: str, default: int | None = None) -> int | None:
    return int(os.environ[name]) if os.environ.get(name) else default


def listed(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


def postgres(url: str) -> dict[str, object]:
    """Return a DATABASES entry from libpq's own URL form, its query parameters included."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": query.pop("user", None) or unquote(parts.username or ""),
        "PASSWORD": query.pop("password", None) or unquote(parts.password or ""),
        "HOST": query.pop("host", None) or parts.hostname or "",
        "PORT": query.pop("port", None) or str(parts.port or ""),
        "OPTIONS": {
            "connect_timeout": 2,
            # A server that is gone without a word is taken for lost after half a minute.
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
            **query,
            "pool": {"min_size": 0, "max_size": 20, "timeout": 2},
        },
        # Without the check, requests fail after a restart of Postgres until the pool is emptied.
        "CONN_HEALTH_CHECKS": True,
    }


DEBUG = flag("DEBUG")
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or read_secret("secret_key") or ""
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "tracking",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
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
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "project.middleware.AdminPolicy",
    "project.middleware.DatabaseAway",
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "project" / "templates", BASE_DIR / "templates"],
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
DATABASES = {"default": postgres(os.environ.get("DATABASE_URL") or database_url())}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator")
]

LANGUAGE_CODE = "en"
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")
USE_I18N = True
FORMAT_MODULE_PATH = ["project.formats"]
# As the console writes them, also in the pages that are Django's own.
USE_THOUSAND_SEPARATOR = True
USE_TZ = True
STATIC_URL = "static/"
# Static files are served straight from the packages: there is nothing to collect.
STATICFILES_FINDERS = ["project.static_files.ServedFinder"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

SECURE_CONTENT_TYPE_NOSNIFF = True
BEHIND_TLS_PROXY = flag("BEHIND_TLS_PROXY")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = flag("COOKIES_SECURE", "1" if BEHIND_TLS_PROXY else "")
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = number("HSTS_SECONDS", 31_536_000)
    # Console and admin. Senders and probes reach the other routes as they always did.
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^(?!admin/|console/|$)"]
    # Subdomains and the browsers' own list concern more than this server: the proxy may set both.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

CELERY_BROKER_URL = os.environ.get("BROKER_URL") or broker_url()
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
    # All processes share the cache, so that a token's rate limit is counted once.
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": CELERY_BROKER_URL.replace("redis+socket://", "unix://"),
            "OPTIONS": {"socket_timeout": 0.2, "socket_connect_timeout": 0.2},
        }
    }

# The mail of alerts.
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS, EMAIL_USE_SSL = flag("EMAIL_USE_TLS"), flag("EMAIL_USE_SSL")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "hitstream@localhost")

# `manage.py spectacular` prints what /api/schema serves.
SPECTACULAR_SETTINGS = {"DEFAULT_GENERATOR_CLASS": "tracking.openapi.generator.Generator"}

HITSTREAM = {
    "TRUSTED_PROXIES": tuple(listed("HITSTREAM_TRUSTED_PROXIES")),
    "PUBLIC_URL": os.environ.get("HITSTREAM_PUBLIC_URL", ""),
    "SECRET_KEYS": tuple(
        (os.environ.get("HITSTREAM_SECRET_KEYS") or read_secret("secret_keys") or "")
        .replace(",", " ")
        .split()
    ),
    "ALLOW_PRIVATE_DESTINATIONS": flag(
        "HITSTREAM_ALLOW_PRIVATE_DESTINATIONS",
        default=read_secret("allow_private_destinations") or "",
    ),
    "OUTBOUND_PROXY": os.environ.get("HITSTREAM_OUTBOUND_PROXY", ""),
    "MAX_OPEN_REQUESTS": number("HITSTREAM_MAX_OPEN_REQUESTS", 1_000),
    "HIT_DAYS": number("HITSTREAM_HIT_DAYS"),
    "ATTEMPT_DAYS": number("HITSTREAM_ATTEMPT_DAYS", 30),
    "DISK_BYTES": number("HITSTREAM_DISK_BYTES"),
    "METRICS_TOKEN": os.environ.get("HITSTREAM_METRICS_TOKEN", ""),
    "METRICS_FOR": tuple(listed("HITSTREAM_METRICS_FOR")),
    "LOCAL_FOLDER": os.environ.get("HITSTREAM_LOCAL_FOLDER", ""),
}

LOG_FORMAT = os.environ.get("HITSTREAM_LOG_FORMAT") or "line"
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
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "chosen",
            "filters": ["no_503", "one_line"],
        }
    },
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    # A refused hit is an answer, not an incident.
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
    },
}
