from tests.destinations.case import Case, read_lines
from tests.support.vendor import reply
from tracking.destinations.spec.rows import COLUMNS

CASE = Case(
    config={
        "url": "{url}",
        "user": "loader",
        "password": "password-secret",
        "batch_size": 3,
    },
    verifies=reply(200, "".join(f"{name}\tString\n" for name in COLUMNS).encode()),
    read=read_lines,
)
