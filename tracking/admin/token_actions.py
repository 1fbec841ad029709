"""What can be done with a token, each asked for once more before it happens."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from tracking.admin.action_forms import RateForm
from tracking.admin.confirm import confirm
from tracking.admin.show_secret import show_token
from tracking.admin.token_form import RotateForm
from tracking.models import Token
from tracking.models.operations import backlog
from tracking.models.operations.cancel import Cancel
from tracking.models.operations.delete import delete_token
from tracking.wakeup import wake_dispatcher_on_commit


def rotate(site: admin.ModelAdmin, request: HttpRequest, pk: str) -> HttpResponse:
    def act(request: HttpRequest, token: Token, asked: dict[str, Any]) -> HttpResponse:
        secret = token.rotate(grace=asked["grace"], by=request.user.get_username())
        site.log_change(request, token, "Rotated.")
        return show_token(site, request, token, secret)

    return confirm(
        site,
        request,
        pk,
        title="Rotate the API token",
        explanation="A new API token is issued and shown once. Until the time you choose, "
        "both work; a token rotated earlier stops at once.",
        act=act,
        form_class=RotateForm,
    )


def revoke(site: admin.ModelAdmin, request: HttpRequest, pk: str) -> HttpResponse:
    def act(request: HttpRequest, token: Token, asked: dict[str, Any]) -> HttpResponse:
        token.revoke(by=request.user.get_username())
        site.log_change(request, token, "Revoked.")
        messages.success(request, f"{token} is revoked: within seconds it is answered 401.")
        return redirect("admin:hitstream_token_changelist")

    return confirm(
        site,
        request,
        pk,
        title="Revoke the API token",
        explanation="Whoever sends with it is answered 401, for ever. What was stored is kept, "
        "and what is queued is still delivered.",
        act=act,
    )


def delete(site: admin.ModelAdmin, request: HttpRequest, pk: str) -> HttpResponse:
    def act(request: HttpRequest, token: Token, asked: dict[str, Any]) -> HttpResponse:
        delete_token(token, by=request.user.get_username(), rate=asked["rate"])
        wake_dispatcher_on_commit()
        site.log_change(request, token, "Deleted.")
        messages.success(request, f"{token.name} is deleted. What it queued is cancelled.")
        return redirect("admin:hitstream_token_changelist")

    return confirm(
        site,
        request,
        pk,
        title="Delete the token",
        explanation="Whoever sends with it is answered 401, and its integrations are deleted: "
        "what they are queued is cancelled. Hits and everything on record stay. It cannot be "
        "undone.",
        act=act,
        form_class=RateForm,
        foresee=lambda token, filters: backlog.preview_token(token),
        counted=Cancel.counted,
        permission="delete_token",
    )
