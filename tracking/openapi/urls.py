"""The document and its page, at any prefix."""

from django.urls import path

from tracking.openapi.views import DocsView, SchemaView

app_name = "hitstream-openapi"
urlpatterns = [
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(), name="docs"),
]
