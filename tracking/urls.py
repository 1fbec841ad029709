"""The ingest routes, at any prefix."""

from django.urls import URLPattern

from tracking.host_checks import missing_apps

__all__ = ["app_name", "urlpatterns"]

app_name = "hitstream"
urlpatterns: list[URLPattern] = []
# Else a check names what is missing; the views cannot be imported without it.
if not missing_apps():
    from tracking.ingest import routes

    urlpatterns = routes.urlpatterns
