"""The ingest routes, at any prefix."""

from tracking.ingest.routes import urlpatterns

__all__ = ["app_name", "urlpatterns"]

app_name = "hitstream"
