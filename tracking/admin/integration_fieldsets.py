"""The parts of an integration's form: what must be filled in is open, everything else is folded
under a summary of what is set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tracking.admin.integration_form import CONFIG, MAPPING, IntegrationForm
from tracking.admin.shown_field import OwnValue, shown_config, shown_mapping, text_of
from tracking.destinations.contract.destination import Destination
from tracking.durations import format_duration
from tracking.models import Integration

#: Characters of a value in a summary.
MAX_VALUE = 40
FOLDED = "collapse"
LABELS = {
    "options": gettext_lazy("Further settings"),
    "filters": gettext_lazy("Filters and mapping"),
    "throughput": gettext_lazy("Throughput"),
    "retries": gettext_lazy("Retries and bodies"),
}


def fieldsets(
    form: type[IntegrationForm],
    integration: Integration | None,
    *,
    label: str,
    description: str,
    is_shown_only: bool,
) -> list[tuple[Any, dict[str, Any]]]:
    """Return the parts of the form of this integration, None for a new one. `label` names its
    destination. `is_shown_only`: the values as text, for users who may not change them."""
    open_fields, folded_fields, mapping = _fields_of(form, is_shown_only)
    present = integration or Integration()
    options = _declared(form.destination, is_required=False)
    parts: list[tuple[Any, dict[str, Any]]] = [
        (None, {"fields": ("token", "name", "enabled") if integration else ("token", "name")}),
        (label, {"fields": open_fields, "description": description}),
    ]
    if folded_fields:
        heading = fold(LABELS["options"], set_options(options, present))
        parts.append((heading, {"fields": folded_fields, "classes": (FOLDED,)}))
    own = form.base_fields
    durations = [
        OwnValue(name, own[name]) if is_shown_only else name for name in ("max_age", "retry_base")
    ]
    parts += [
        (
            fold(LABELS["filters"], set_filters(present)),
            {"fields": ("event_names", *mapping), "classes": (FOLDED, "hs-mapping")},
        ),
        (
            fold(LABELS["throughput"], set_throughput(present)),
            {"fields": ("ordered", "concurrency", "rate_limit"), "classes": (FOLDED,)},
        ),
        (
            fold(LABELS["retries"], set_retries(present)),
            {"fields": ("max_attempts", *durations, "keep_bodies"), "classes": (FOLDED,)},
        ),
    ]
    if not integration:
        parts[-1][1]["fields"] = ("enabled", *parts[-1][1]["fields"])
    return parts


def _fields_of(
    form: type[IntegrationForm], is_shown_only: bool
) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the fields of the configuration that are open and those that are folded, and those of
    the mapping."""
    required = _declared(form.destination, is_required=True)
    if is_shown_only:
        config = shown_config(form.destination)
        return (
            [each for each in config if each.name in required],
            [each for each in config if each.name not in required],
            [*shown_mapping()],
        )
    names = [name for name in form.base_fields if name.startswith(CONFIG)]
    return (
        [name for name in names if name.removeprefix(CONFIG) in required],
        [name for name in names if name.removeprefix(CONFIG) not in required],
        [name for name in form.base_fields if name.startswith(MAPPING)],
    )


def _declared(
    destination: type[Destination] | None, *, is_required: bool
) -> Mapping[str, forms.Field]:
    fields = destination.Config.base_fields if destination else {}
    return {name: field for name, field in fields.items() if field.required is is_required}


def fold(label: Any, texts: Iterable[str]) -> SafeString:
    """Return the heading of a folded part."""
    return format_html('{} <span class="hs-set">{}</span>', label, " · ".join(texts))


def set_options(options: Mapping[str, forms.Field], integration: Integration) -> list[str]:
    """Return what is set of the destination's optional fields. Secrets are in none of it."""
    found = []
    for name, field in options.items():
        value = integration.config.get(name, field.initial)
        text = text_of(field.prepare_value(value)) if value not in field.empty_values else ""
        if text and not isinstance(value, bool):
            choices = dict(getattr(field, "choices", ()))
            shown = str(choices.get(value, text)).replace("\n", ", ")[:MAX_VALUE]
            found.append(f"{field.label or name}: {shown}")
        elif value is True:
            found.append(str(field.label or name))
    return found or [_("nothing set")]


def set_filters(integration: Integration) -> list[str]:
    mapping, names = integration.mapping, len(integration.event_names)
    changes = sum(len(mapping.get(name, ())) for name in ("rename", "set", "hash", "drop"))
    texts = [
        ngettext("only %(count)s event", "only %(count)s events", names) % {"count": names}
        if names
        else _("all events")
    ]
    if mapping.get("condition"):
        texts.append(_("with a condition"))
    if mapping.get("percent", 100) != 100:
        texts.append(_("%(percent)s%% of users") % {"percent": f"{mapping['percent']:g}"})
    if changes:
        text = ngettext("%(count)s change", "%(count)s changes", changes)
        texts.append(text % {"count": changes})
    return texts


def set_throughput(integration: Integration) -> list[str]:
    texts = [_("%(count)s at once") % {"count": integration.concurrency}]
    if integration.rate_limit:
        rate = number_format(integration.rate_limit)
        texts.append(_("%(rate)s requests/s at most") % {"rate": rate})
    if integration.ordered:
        texts.append(_("in order per user"))
    return texts


def set_retries(integration: Integration) -> list[str]:
    attempts = integration.max_attempts
    text = ngettext("%(count)s attempt in %(time)s", "%(count)s attempts in %(time)s", attempts)
    texts = [text % {"count": attempts, "time": format_duration(integration.max_age)}]
    if integration.keep_bodies:
        texts.append(_("all bodies kept"))
    return texts
