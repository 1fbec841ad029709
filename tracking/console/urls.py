"""The console's pages, at any prefix."""

from __future__ import annotations

from django.urls import path

from tracking.console import alerts, home, selftest

app_name = "tracking-console"
urlpatterns = [
    path("", home.home, name="home"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/<int:pk>/silence/", alerts.silence, name="alert-silence"),
    path("alerts/<int:pk>/end-silence/", alerts.end_silence, name="alert-end-silence"),
    path("self-test/", selftest.self_test, name="self-test"),
]
