"""Every route of Hitstream under one prefix: ingest and probes at its root, the console under
`console/`, and the description of the API, where drf-spectacular is installed, under `api/`.
Without django.contrib.admin there is no console."""

from __future__ import annotations

from django.apps import apps
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [path("", include("tracking.urls"))]
if apps.is_installed("django.contrib.admin"):
    urlpatterns.append(path("console/", include("tracking.console.urls")))
if apps.is_installed("drf_spectacular"):
    urlpatterns.append(path("api/", include("tracking.openapi.urls")))
