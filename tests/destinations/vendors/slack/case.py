from tests.destinations.case import Case
from tests.support.vendor import reply

CASE = Case(
    config={
        "webhook_url": "{url}",
        "template": "*{name}* by {user}: {properties.transaction.total}",
    },
    accepts=reply(200, b"ok"),
    verifies=reply(400, b"no_text"),
)
