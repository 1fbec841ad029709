"""Moments as `<time>` elements."""

from __future__ import annotations

from django import template

from tracking.presentation.moments import ago, exact

register = template.Library()
register.filter("ago", ago)
register.filter("exact", exact)
