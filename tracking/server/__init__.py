"""The deployment: the web server's side, its settings, and the command `hitstream`."""

from tracking.server.celery import app as celery_app

__all__ = ["celery_app"]
