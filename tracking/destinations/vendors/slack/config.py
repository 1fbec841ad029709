"""The configuration form of Slack, and the places of its message template."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HttpUrlField

TEXT_LIMIT = 3_000
PLACE = re.compile(r"\{([^{}]*)\}")
PLACES = frozenset({"name", "type", "user", "user_id", "anonymous_id", "hit_id", "time"})
OBJECTS = frozenset({"properties", "traits", "context"})


class WebhookUrlField(SecretField):
    """A URL that is a credential."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return HttpUrlField().clean(text) if text else text


class SlackConfig(ConfigForm):
    webhook_url = WebhookUrlField(
        label=_("Webhook URL"),
        help_text=_(
            "https://api.slack.com/apps → your app → Incoming Webhooks → Webhook URL. Limit"
            " the integration to 1 request/s: Slack accepts more only for a short time."
        ),
    )
    template = forms.CharField(
        label=_("Template"),
        max_length=TEXT_LIMIT,
        required=False,
        initial="*{name}* ({type}) by {user}",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "Text of the message, in Slack's mrkdwn. Places: {name}, {type}, {user},"
            " {user_id}, {anonymous_id}, {hit_id}, {time}, {properties.…}, {traits.…} and"
            " {context.…}, such as {properties.transaction.total}. Missing values are left empty."
        ),
    )

    def clean_template(self) -> str:
        template: str = self.cleaned_data["template"]
        for place in PLACE.findall(template):
            head, _dot, path = place.partition(".")
            if not (place in PLACES or (head in OBJECTS and path)):
                raise ValidationError(
                    _("The place {%(place)s} does not exist."), params={"place": place}
                )
        return template
