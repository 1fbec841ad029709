"""A page that says what a button will do, asks what it must, and does it on POST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme

from tracking.models.operations.preview import Preview

Act = Callable[[HttpRequest, Any, dict[str, Any]], HttpResponse]
#: The object and what the filters say, to what would be done.
Foresee = Callable[[Any, dict[str, Any]], Preview]


def confirm(
    site: admin.ModelAdmin,
    request: HttpRequest,
    pk: str,
    *,
    title: str,
    explanation: str,
    act: Act,
    form_class: type[forms.Form] = forms.Form,
    filters_class: type[forms.Form] = forms.Form,
    foresee: Foresee | None = None,
    counted: str = "",
    permission: str = "",
) -> HttpResponse:
    """The confirmation page of one object, or what `act` answers to its valid forms.

    The filters are GET parameters: the page says what would be done to what they leave, so many
    `counted`, and its POST repeats the filters that were said. `permission` is a codename, by
    default that to change the object. Afterwards it goes on at `next` if that was asked for.
    """
    obj: Model | None = site.get_object(request, pk)
    if obj is None:
        raise Http404
    if not request.user.has_perm(f"hitstream.{permission or f'change_{site.opts.model_name}'}"):
        raise PermissionDenied
    is_post = request.method == "POST"
    filters = filters_class(request.POST if is_post else request.GET)
    form = form_class(request.POST if is_post else None)
    back = asked_back(request)
    if filters.is_valid() and form.is_valid():
        done = act(request, obj, {**filters.cleaned_data, **form.cleaned_data})
        is_over = isinstance(done, HttpResponseRedirect)
        return HttpResponseRedirect(back) if back and is_over else done
    context = {
        **site.admin_site.each_context(request),
        "title": title,
        "subtitle": str(obj),
        "explanation": explanation,
        "object": obj,
        "back": back,
        "form": form,
        "filters": filters,
        "preview": foresee(obj, filters.cleaned_data) if foresee and filters.is_valid() else None,
        "counted": counted,
        "opts": site.opts,
    }
    return TemplateResponse(request, "hitstream/confirm.html", context)


def asked_back(request: HttpRequest) -> str:
    """The page of this site that somebody came from and wants back to; empty for none."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else ""
