from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("hits/", include("tracking.urls")),
    path("console/", include("tracking.console.urls")),
]
