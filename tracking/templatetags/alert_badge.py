"""The number of open alerts, for the navigation."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import Q
from django.utils import timezone

from tracking.models import Alert
from tracking.models.access.scope import Scope

register = template.Library()


@register.simple_tag
def open_alerts(user: Any) -> int:
    """Return how many alerts that the user may see are open, without muted ones and those whose
    condition no longer holds."""
    if not user.has_perm("hitstream.view_alert"):
        return 0
    muted = Q(silent_until__gt=timezone.now())
    found = Alert.objects.open().filter(fine_since=None).exclude(muted)
    return Scope.of(user).limit(found).count()
