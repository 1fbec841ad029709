from tests.destinations.case import Case
from tests.support.vendor import reply

CASE = Case(
    config={"measurement_id": "G-ABC123XYZ", "api_secret": "ga-secret-value", "region": "eu"},
    accepts=reply(200, b""),
    verifies=reply(200, b'{"validationMessages": []}'),
)
