"""The ingest routes. With and without a slash: some SDKs count a redirect as delivered."""

from django.urls import path

from tracking.ingest.views import TrackView

app_name = "tracking"
urlpatterns = [
    path("track", TrackView.as_view(), name="track"),
    path("track/", TrackView.as_view()),
]
