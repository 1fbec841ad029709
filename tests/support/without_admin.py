"""The routes of a project that mounts no admin site."""

from django.urls import include, path

urlpatterns = [path("hits/", include("tracking.all"))]
