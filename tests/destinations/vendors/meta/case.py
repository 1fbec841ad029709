from tests.destinations.case import Case
from tests.support.vendor import reply

CASE = Case(
    config={"pixel_id": "1234567890", "access_token": "meta-token"},
    accepts=reply(200, b'{"events_received": 1, "messages": [], "fbtrace_id": "x"}'),
    verifies=reply(200, b'{"id": "1234567890"}'),
)
