"""The configuration form of Segment-compatible receivers."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HttpUrlField

RECEIVERS = {
    "segment": "Segment",
    "rudderstack": "RudderStack",
    "jitsu": "Jitsu",
    "hitstream": "Hitstream",
}


class SegmentConfig(ConfigForm):
    receiver = forms.ChoiceField(
        label=_("Receiver"),
        choices=RECEIVERS.items(),
        help_text=_(
            "Receiver of the hits. Receivers differ in how they read the time of an event."
        ),
    )
    url = HttpUrlField(
        label=_("URL"),
        help_text=_(
            "Segment: https://api.segment.io, in an EU workspace"
            " https://events.eu1.segmentapis.com. RudderStack: the data plane's URL, at the top"
            " of its Connections page. Jitsu: the ingest address in the site's set-up instructions."
            " Hitstream: its own URL."
        ),
    )
    write_key = SecretField(
        label=_("Write key"),
        help_text=_(
            "Segment: Connections → Sources → your HTTP API source → Settings → API Keys."
            " RudderStack: Sources → your source → Setup. Jitsu: Sites → your site →"
            " server-to-server write keys, as key:secret. Hitstream: project id or API token of a"
            " token."
        ),
    )
