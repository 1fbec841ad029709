import os

from celery import Celery
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.naive.settings")

application = get_wsgi_application()
celery = Celery("naive")
celery.config_from_object("django.conf:settings", namespace="CELERY")
celery.set_default()
