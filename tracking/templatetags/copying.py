"""Ids that can be copied."""

from __future__ import annotations

from django import template

from tracking.presentation.copyable import copyable

register = template.Library()
register.filter("copyable", copyable)
