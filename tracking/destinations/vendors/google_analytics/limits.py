"""Google Analytics 4's limits: names and parameters in, the part that Google keeps out.

Source: "Measurement Protocol reference"
(https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference), section
"Reserved names", which has a list for events and another for parameters; "Send Measurement Protocol
events", section "Limitations": names of 40 characters, 25 parameters per event, values of 100
characters; "Event naming rules" (https://support.google.com/analytics/answer/13316687): a name
begins with a letter, and letters, digits and underscores are those of any language; "Event
collection limits" (https://support.google.com/analytics/answer/9267744): page_location 1,000,
page_referrer 420, page_title 300; "Measure ecommerce": 200 items. Of own parameters of an item
"Limitations" states 10 and "Event collection limits" 27: the smaller number is within both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

MAX_NAME, MAX_PARAMS, MAX_VALUE, MAX_ITEMS, MAX_ITEM_PARAMS = 40, 25, 100, 200, 10
LONGER = {"page_location": 1_000, "page_referrer": 420, "page_title": 300}
RESERVED_PREFIXES = ("_", "firebase_", "ga_", "google_", "gtag.")
#: Reserved names of parameters. Names of events that are reserved are free for parameters.
RESERVED_PARAMS = frozenset({"firebase_conversion"})
#: Reserved names of events; ad_impression, in_app_purchase and screen_view are for app streams.
RESERVED_EVENTS = frozenset(
    {
        "ad_activeview",
        "ad_click",
        "ad_exposure",
        "ad_impression",
        "ad_query",
        "ad_reward",
        "adunit_exposure",
        "app_clear_data",
        "app_exception",
        "app_install",
        "app_remove",
        "app_store_refund",
        "app_update",
        "app_upgrade",
        "dynamic_link_app_open",
        "dynamic_link_app_update",
        "dynamic_link_first_open",
        "error",
        "firebase_campaign",
        "firebase_in_app_message_action",
        "firebase_in_app_message_dismiss",
        "firebase_in_app_message_impression",
        "first_open",
        "first_visit",
        "in_app_purchase",
        "notification_dismiss",
        "notification_foreground",
        "notification_open",
        "notification_receive",
        "notification_send",
        "os_update",
        "screen_view",
        "session_start",
        "user_engagement",
    }
)


def event_name(name: str) -> str:
    """Return the name in Google's spelling, in lower case; "" if it is reserved or does not begin
    with a letter."""
    spelled = trim(name).strip("_").lower()
    return "" if spelled in RESERVED_EVENTS or not is_free(spelled) else spelled


@lru_cache(maxsize=4_096)
def param_name(name: str) -> str:
    """Return the name in Google's spelling; "" if it is reserved or does not begin with a
    letter."""
    spelled = trim(name)
    return "" if spelled in RESERVED_PARAMS or not is_free(spelled) else spelled


def trim(name: str) -> str:
    """Return at most MAX_NAME characters, with an underscore for what is neither a letter nor a
    digit of any script."""
    composed = unicodedata.normalize("NFC", name)
    return re.sub(r"\W+", "_", composed)[:MAX_NAME]


def is_free(name: str) -> bool:
    return name[:1].isalpha() and not name.lower().startswith(RESERVED_PREFIXES)


def limit(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with texts cut to Google's length, since Google drops longer ones, and
    with at most MAX_ITEMS items."""
    return {
        name: value[: LONGER.get(name, MAX_VALUE)]
        if isinstance(value, str)
        else value[:MAX_ITEMS]
        if isinstance(value, list)
        else value
        for name, value in params.items()
    }
