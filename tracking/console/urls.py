"""The console's pages, at any prefix."""

from __future__ import annotations

from django.urls import path

from tracking.console import analytics, home

app_name = "tracking-console"
urlpatterns = [
    path("", home.home, name="home"),
    path("analytics/", analytics.analytics, name="analytics"),
]
