"""*Test connection* on the form of an integration: the typed values are tried, and nothing is
saved."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from tracking.admin.connection_test import ask_vendor, connection_result
from tracking.admin.integration_form import CONFIG, IntegrationForm
from tracking.destinations.contract.connection_test import ConnectionResult
from tracking.models import Integration

#: The name of the button, and its value where only the result is wanted.
TEST, PART = "_test", "part"


@dataclass(frozen=True, slots=True)
class Trial:
    """Without a `verdict` nothing was sent: `errors` are what to fix, by label. `has_new_secrets`:
    the request was signed with a secret that saving creates again. `lost_secrets`: the page that
    follows does not hold the secrets that were typed."""

    verdict: ConnectionResult | None
    errors: list[tuple[str, str]]
    has_new_secrets: bool = False
    lost_secrets: bool = False


def try_out(form: IntegrationForm, slug: str) -> Trial:
    """Return the result of a harmless request with the values of the bound form. Only the fields
    that the destination declares have to be valid."""
    form.is_valid()
    errors = [
        (str(form.fields[name].label) if name in form.fields else "", str(text))
        for name, texts in form.errors.items()
        if name.startswith(CONFIG) or name == "__all__"
        for text in texts
    ]
    if errors:
        return Trial(None, errors)
    integration: Integration = form.instance
    integration.destination = slug
    verdict = ask_vendor(lambda: connection_result(integration))
    return Trial(
        verdict,
        [],
        has_new_secrets=bool(integration.issued),
        lost_secrets=any(_typed(form, name) for name in _secrets(form)),
    )


def _secrets(form: IntegrationForm) -> frozenset[str]:
    return form.destination.Config.secret_names() if form.destination else frozenset()


def _typed(form: IntegrationForm, name: str) -> str:
    return str(form.data.get(f"{CONFIG}{name}") or "").strip()


def is_trial(request: HttpRequest) -> bool:
    return request.method == "POST" and TEST in request.POST


def wants_part(request: HttpRequest) -> bool:
    """Return whether a script shows the result in the page that the browser has."""
    return request.POST.get(TEST) == PART
