"""A field of a read-only page that holds JSON, or a text that may be JSON: shown as a tree."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import JSONField, Model
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from tracking.presentation.moments import NONE

#: Texts that are bodies of requests and responses.
BODIES = ("request_body", "response_body", "body")


class JsonColumn:
    """Django calls it with the object of the page."""

    def __init__(self, name: str, label: Any) -> None:
        self.__name__, self.short_description = name, label

    def __call__(self, obj: Model) -> str | SafeString:
        value = getattr(obj, self.__name__)
        if value in (None, "", {}, []):
            return NONE
        text = value if isinstance(value, str) else written(value)
        return render_to_string("hitstream/json.html", {"text": text})


def written(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def with_json_columns(model: type[Model], names: Iterable[Any]) -> list[Any]:
    """Return the fields, those with JSON as JsonColumns."""
    return [column_of(model, name) for name in names]


def column_of(model: type[Model], name: Any) -> Any:
    try:
        field = model._meta.get_field(name) if isinstance(name, str) else None
    except FieldDoesNotExist:
        return name
    if field is None or not (isinstance(field, JSONField) or name in BODIES):
        return name
    return JsonColumn(name, getattr(field, "verbose_name", name))
