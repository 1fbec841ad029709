"""The URLs of the console, for any prefix."""

from __future__ import annotations

from django.urls import path

from tracking.console import (
    alerts,
    analytics,
    audit,
    completion,
    deliveries,
    event_page,
    events,
    hits,
    home,
    integrations,
    live,
    palette,
    refused,
    search,
    selftest,
    setup,
    time_zone,
    users,
)

app_name = "hitstream-console"
urlpatterns = [
    path("", home.home, name="home"),
    path("live/", live.live, name="live"),
    path("live/hits/", live.hits, name="live-hits"),
    path("integrations/", integrations.integrations, name="integrations"),
    path("integrations/<int:pk>/", integrations.integration, name="integration"),
    path("integrations/<int:pk>/test-event/", integrations.send_test_event, name="test-event"),
    path(
        "integrations/<int:pk>/deliveries/",
        deliveries.of_integration,
        name="integration-deliveries",
    ),
    path(
        "integrations/<int:pk>/deliveries/count/",
        deliveries.count_of_integration,
        name="integration-deliveries-count",
    ),
    path("deliveries/", deliveries.deliveries, name="deliveries"),
    path("deliveries/count/", deliveries.count, name="deliveries-count"),
    path("deliveries/<uuid:hit_id>/<int:pk>/", deliveries.delivery, name="delivery"),
    path("refused/", refused.refused, name="refused"),
    path("users/", users.user, name="user"),
    path("palette/", palette.palette, name="palette"),
    path("search/", search.search, name="search"),
    path("hits/<uuid:hit_id>/", hits.hit, name="hit"),
    path("hits/<uuid:hit_id>/peek/", hits.peek, name="peek"),
    path("hits/<uuid:hit_id>/<int:pk>/replay/", hits.replay, name="replay"),
    path("hits/<uuid:hit_id>/<int:pk>/try-now/", hits.try_now, name="try-now"),
    path("audit/", audit.audit, name="audit"),
    path("analytics/", analytics.analytics, name="analytics"),
    path("events/", events.events, name="events"),
    path("events/breakdown/", event_page.add_breakdown, name="event-breakdown"),
    path("events/completion/", completion.completion, name="completion"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/<int:pk>/silence/", alerts.silence, name="alert-silence"),
    path("alerts/<int:pk>/end-silence/", alerts.end_silence, name="alert-end-silence"),
    path("setup/", setup.setup, name="setup"),
    path("setup/hide/", setup.hide, name="setup-hide"),
    path("setup/demo/", setup.demo, name="setup-demo"),
    path("time-zone/", time_zone.time_zone, name="time-zone"),
    path("self-test/", selftest.self_test, name="self-test"),
]
