"""The admin site that holds Hitstream's forms: HITSTREAM["ADMIN_SITE"], else the default one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string

from tracking.conf import conf


def admin_site() -> AdminSite:
    """Return the site. Raises ImproperlyConfigured if the setting names none."""
    if not conf.ADMIN_SITE:
        return admin.site
    try:
        site = import_string(conf.ADMIN_SITE)
    except ImportError as error:
        raise ImproperlyConfigured(f"HITSTREAM['ADMIN_SITE']: {error}") from error
    if not isinstance(site, AdminSite):
        raise ImproperlyConfigured(
            f"HITSTREAM['ADMIN_SITE']: {conf.ADMIN_SITE} is no instance of AdminSite."
        )
    return site


def admin_url(name: str, *args: Any) -> str:
    """Return the URL of a page of the site, by its name there."""
    return reverse(f"admin:{name}", args=args, current_app=admin_site().name)


def frame(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    """Return the context of the site's frame, and let the links of the page lead into this site."""
    request.current_app = site.name
    return site.each_context(request)
