"""What the destinations of advertisers share: the fields of their forms that decide on consent, and
the decision for an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.destinations.spec.consent import read_consent, read_flag
from tracking.events import Event

DENIED = "The visitor denied consent to advertising."


class DeniedField(forms.ChoiceField):
    """Whether hits are sent whose visitor denied consent."""

    def __init__(self) -> None:
        super().__init__(
            choices=[("limit", _("Send with limited use")), ("skip", _("Do not send"))],
            required=False,
            initial="limit",
            label=_("Consent denied"),
            help_text=_(
                "Hits whose visitor denied consent: ad_user_data in context.consent or in the"
                " options of the hit."
            ),
        )


class LimitedUseField(forms.BooleanField):
    """Whether the use of hits is limited that state no consent."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            label=_("Limited use without a statement"),
            help_text=_(
                "Ask the vendor to limit the use of the data of hits that state no consent."
            ),
        )


def skips_denied(config: Mapping[str, Any], event: Event) -> str:
    """Return why the event is not sent for lack of consent; "" if it is sent."""
    return DENIED if config.get("denied") == "skip" and read_consent(event).is_denied else ""


def limits_use(config: Mapping[str, Any], event: Event) -> bool:
    """Return whether the vendor must limit the use of the event: as the hit's options say, else by
    its consent, else as the integration says."""
    if (flag := read_flag(event, "limitedDataUse", "limited_data_use")) is not None:
        return flag
    consent = read_consent(event)
    if consent.ad_user_data is None:
        return bool(config.get("limited_data_use"))
    return consent.is_denied
