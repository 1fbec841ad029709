"""The web server's application, with /null beside /track: as short a way, but for the database."""

# First: it loads the apps, which the others need.
from tracking.server.app import LIMITS, app

# isort: split

from tracking.ingest import wsgi
from tracking.ingest.parse.body import MAX_BODY
from tracking.ingest.routes import ROUTES, Route
from tracking.server.front.body import Limit
from tracking.server.wsgi import application

from benchmarks.stock.urls import NullView  # isort: skip (only once the apps are loaded)

__all__ = ["app"]

LIMITS["/null"] = Limit(MAX_BODY, ingest=True)
application._views = wsgi.RouteTable.of_the_project((*ROUTES, Route("null", NullView, MAX_BODY)))
