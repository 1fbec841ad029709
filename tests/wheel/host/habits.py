"""A project's own ways of doing things, none of them meant for Hitstream."""

from contextlib import suppress

from django.core.exceptions import RequestDataTooBig
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response


class Nobody(BaseAuthentication):
    def authenticate(self, request):
        raise AuthenticationFailed("Nobody may come in here.")


class XML(BaseRenderer):
    media_type = "application/xml"
    format = "xml"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return b"<answer/>"


def handle(error, context):
    return Response(status=418)


def read_every_body(get_response):
    def middleware(request):
        with suppress(RequestDataTooBig):
            len(request.body)
        return get_response(request)

    return middleware


class Router:
    """Everything of Hitstream's in a database of its own."""

    def db_for_read(self, model, **hints):
        return "hits" if model._meta.app_label == "hitstream" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (db == "hits") == (app_label == "hitstream")
