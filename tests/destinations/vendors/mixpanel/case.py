from tests.destinations.case import Case
from tests.support.vendor import reply

CASE = Case(
    config={"project_token": "mixpanel-token", "region": "eu"},
    accepts=reply(200, b'{"code": 200, "num_records_imported": 1, "status": "OK"}'),
    verifies=reply(
        400,
        b'{"code": 400, "num_records_imported": 0, "status": "Bad Request", "failed_records":'
        b' [{"index": 0, "insert_id": "x", "field": "properties.time", "message": "too old"}]}',
    ),
)
