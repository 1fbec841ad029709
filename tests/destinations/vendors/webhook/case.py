import base64

from tests.destinations.case import Case

CASE = Case(
    config={
        "url": "{url}",
        "signing_secret": "whsec_" + base64.b64encode(b"s" * 32).decode(),
        "batch_size": 3,
        "headers": "X-Own: header-secret",
        "timeout": 5,
    },
    changing=frozenset({"webhook-timestamp", "webhook-signature"}),
)
