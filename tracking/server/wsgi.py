import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracking.server.settings")

django = get_wsgi_application()

from tracking.ingest.wsgi import IngestFirst  # noqa: E402 (only once the apps are loaded)

application = IngestFirst(django)
