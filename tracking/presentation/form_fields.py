"""A form field for a list of texts, one per line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

#: Characters of a line, and lines of a field, at most.
MAX_LINE = 1_000
MAX_LINES = 1_000


class LinesField(forms.CharField):
    """A list of lines without empty lines and duplicates, of at most `most`; `check` raises
    ValidationError for a bad one."""

    widget = forms.Textarea(attrs={"rows": 3})

    @staticmethod
    def area(rows: int = 3, **data: str) -> forms.Textarea:
        """Return a text area with these `data-` attributes: `complete` names what is suggested."""
        attributes = {f"data-{name}": value for name, value in data.items()}
        return forms.Textarea(attrs={"rows": rows, "spellcheck": "false", **attributes})

    def __init__(
        self,
        *,
        check: Callable[[str], None] = lambda line: None,
        most: int = MAX_LINES,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._check, self._most = check, most

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare line by line: browsers end them in their own way."""
        before, after = (str(self.prepare_value(value) or "") for value in (initial, data))
        return before.strip().splitlines() != after.strip().splitlines()

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in super().clean(value).splitlines()]
        lines = list(dict.fromkeys(filter(None, lines)))
        if len(lines) > self._most:
            raise ValidationError(
                _("Enter at most %(most)s lines, not %(count)s."),
                code="lines",
                params={"most": self._most, "count": f"{len(lines):,}"},
            )
        for line in lines:
            if len(line) > MAX_LINE:
                raise ValidationError(
                    _("A line has at most %(most)s characters."),
                    code="max_length",
                    params={"most": f"{MAX_LINE:,}"},
                )
            self._check(line)
        return lines
