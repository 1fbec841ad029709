"""Reference (b): what one would write in an afternoon."""

import os
from urllib.parse import parse_qs, urlsplit

url = urlsplit(os.environ["DATABASE_URL"])
query = parse_qs(url.query)

SECRET_KEY = "naive"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["rest_framework", "benchmarks.naive"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "benchmarks.naive.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.lstrip("/"),
        "HOST": query["host"][0],
        "USER": query["user"][0],
        "CONN_MAX_AGE": 60,
    }
}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REST_FRAMEWORK = {"UNAUTHENTICATED_USER": None}
CELERY_BROKER_URL = os.environ["BROKER_URL"]
CELERY_TASK_IGNORE_RESULT = True
WEBHOOK_URL = os.environ.get("WEBHOOK_URL", "")
