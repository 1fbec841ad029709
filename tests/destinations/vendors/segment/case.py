from tests.destinations.case import Case
from tests.support.vendor import reply

CASE = Case(
    config={"receiver": "hitstream", "url": "{url}", "write_key": "write-key-secret"},
    verifies=reply(400, b'{"code": "batch_empty"}'),
)
