from tests.destinations.case import Case
from tests.support.vendor import reply

CASE = Case(
    config={"pixel_code": "C4ABC123", "access_token": "tiktok-token"},
    accepts=reply(200, b'{"code": 0, "message": "OK", "data": {}}'),
    verifies=reply(200, b'{"code": 40002, "message": "data: Missing data for required field."}'),
)
