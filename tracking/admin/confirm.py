"""A page that says what a button will do, asks what it must, and does it on POST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

Act = Callable[[HttpRequest, Any, dict[str, Any]], HttpResponse]


def confirm(
    site: admin.ModelAdmin,
    request: HttpRequest,
    pk: str,
    *,
    title: str,
    explanation: str,
    act: Act,
    form_class: type[forms.Form] = forms.Form,
) -> HttpResponse:
    """The confirmation page of one object, or what `act` answers to its valid form."""
    obj: Model | None = site.get_object(request, pk)
    if obj is None:
        raise Http404
    if not site.has_change_permission(request, obj):
        raise PermissionDenied
    form = form_class(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return act(request, obj, form.cleaned_data)
    context = {
        **site.admin_site.each_context(request),
        "title": title,
        "subtitle": str(obj),
        "explanation": explanation,
        "object": obj,
        "form": form,
        "opts": site.opts,
    }
    return TemplateResponse(request, "tracking/confirm.html", context)
