"""The groups in which operators find destinations, in the order of the page."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

CATEGORIES = {
    "connections": _("Webhooks and queues"),
    "analytics": _("Product analytics"),
    "advertising": _("Advertising"),
    "messaging": _("Messages and e-mail"),
    "storage": _("Databases and storage"),
    "other": _("Other"),
}
