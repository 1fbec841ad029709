"""A column of the admin with a moment: the same form in every project, whatever its formats are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, Model
from django.utils.safestring import SafeString

from tracking.presentation.moments import NONE, ago, element, relative, written

#: The moments of which one asks how long ago they are.
RELATIVE = ("last_used_at", "notified_at")


class TimeColumn:
    """Django calls it with the object of the row. The exact time has seconds and zone, with the
    relative one in its title; `is_relative` has it the other way round."""

    def __init__(self, name: str, label: Any, *, is_relative: bool = False) -> None:
        self.admin_order_field = self.__name__ = name
        self.short_description = label
        self._is_relative = is_relative

    def __call__(self, obj: Any) -> str | SafeString:
        moment: datetime | None = getattr(obj, self.__name__)
        if moment is None:
            return NONE
        if self._is_relative:
            return ago(moment)
        return element(moment, "exact", written(moment, "second", with_zone=True), relative(moment))


def with_time_columns(model: type[Model], names: Iterable[Any]) -> list[Any]:
    """Return the columns, those of moments as TimeColumns."""
    return [column_of(model, name) for name in names]


def column_of(model: type[Model], name: Any) -> Any:
    try:
        field = model._meta.get_field(name) if isinstance(name, str) else None
    except FieldDoesNotExist:
        return name
    if not isinstance(field, DateTimeField):
        return name
    return TimeColumn(name, field.verbose_name, is_relative=name in RELATIVE)
