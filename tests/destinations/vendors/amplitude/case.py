from tests.destinations.case import Case
from tests.support.vendor import reply

CASE = Case(
    config={"api_key": "amplitude-key", "region": "eu"},
    accepts=reply(200, b'{"code": 200, "events_ingested": 1}'),
    verifies=reply(400, b'{"code": 400, "error": "Request missing required field: events"}'),
)
