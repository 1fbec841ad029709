from tests.destinations.case import Case
from tests.support.vendor import reply

CASE = Case(
    config={"api_key": "phc_project-key", "region": "eu"},
    accepts=reply(200, b'{"status": "Ok"}'),
)
