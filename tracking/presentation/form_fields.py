"""A form field for a list of texts, one per line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms


class LinesField(forms.CharField):
    """A list of lines without empty lines and duplicates; `check` raises ValidationError for a bad
    one."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, *, check: Callable[[str], None] = lambda line: None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check = check

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare line by line: browsers end them in their own way."""
        before, after = (str(self.prepare_value(value) or "") for value in (initial, data))
        return before.strip().splitlines() != after.strip().splitlines()

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in super().clean(value).splitlines()]
        for line in filter(None, lines):
            self._check(line)
        return list(dict.fromkeys(filter(None, lines)))
