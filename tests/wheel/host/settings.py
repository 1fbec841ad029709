"""What somebody adds to the settings of `django-admin startproject`, which are in stock.py: the
app, and habits of their own that the app must live with."""

import os

from host.stock import *  # noqa: F403
from host.stock import DATABASES, INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS += ["django.contrib.postgres", "rest_framework", "tracking"]
MIDDLEWARE += [
    "django.middleware.locale.LocaleMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "host.habits.read_every_body",
]
POSTGRES = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": os.environ["HOST_DATABASE"],
    "ATOMIC_REQUESTS": True,
    "OPTIONS": {"assume_role": os.environ["HOST_ROLE"]},
}
if os.environ.get("HOST_ROUTED"):
    DATABASES["default"]["ATOMIC_REQUESTS"] = True
    DATABASES["hits"] = POSTGRES
    DATABASE_ROUTERS = ["host.habits.Router"]
elif not os.environ.get("HOST_SQLITE"):
    DATABASES["default"] = POSTGRES

HITSTREAM = {
    "SECRET_KEYS": [os.environ["HOST_SECRET_KEY"]],
    "ALLOW_PRIVATE_DESTINATIONS": True,
    "PARTITION_DAYS_AHEAD": 8,
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["host.habits.Nobody"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["host.habits.XML"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.NamespaceVersioning",
    "ALLOWED_VERSIONS": ["v1"],
    "EXCEPTION_HANDLER": "host.habits.handle",
}
CELERY_BROKER_URL = os.environ["BROKER_URL"]
CELERY_TASK_DEFAULT_QUEUE = "host"

DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
LANGUAGE_CODE = "de"
TIME_ZONE = "Asia/Kathmandu"
USE_THOUSAND_SEPARATOR = True
USE_TZ = not os.environ.get("HOST_NAIVE")
STATIC_ROOT = "collected"
