from tests.destinations.case import Case
from tests.support.vendor import reply

CASE = Case(
    config={"private_key": "pk_private-key-secret"},
    verifies=reply(
        200,
        b'{"data": [{"attributes": {"contact_information": {"organization_name": "Acme"}}}]}',
    ),
)
