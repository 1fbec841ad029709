"""The web server's application, with /null beside /track: as short a way, but for the database."""

from project.front.body import INGEST, LIMITS
from project.server import app
from project.wsgi import application
from tracking.ingest import wsgi

from benchmarks.stock.urls import NullView  # isort: skip (only once the apps are loaded)

__all__ = ["app"]

LIMITS["/null"] = INGEST
application._views = {**wsgi.routes(), "/null": NullView.as_view()}
