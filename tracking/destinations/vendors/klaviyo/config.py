"""The configuration form of Klaviyo."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import DefaultCountryField


class KlaviyoConfig(ConfigForm):
    private_key = SecretField(
        label=_("Private API key"),
        help_text=_(
            "Klaviyo: name of your account at the lower left → Settings → Account → API keys"
            " → Create private API key, with write access to Events and Profiles and read access to"
            " Accounts. The key begins with pk_."
        ),
    )
    default_country = DefaultCountryField()
