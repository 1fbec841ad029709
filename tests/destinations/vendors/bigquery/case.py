import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.destinations.case import Case
from tests.support.vendor import reply
from tracking.destinations.vendors.bigquery.destination import SCHEMA

KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
ACCOUNT = json.dumps(
    {
        "type": "service_account",
        "client_email": "loader@shop.iam.gserviceaccount.com",
        "private_key_id": "key-1",
        "private_key": KEY.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    }
)
#: One for all: the token's, insertAll's and the table's.
ANSWER = json.dumps(
    {
        "access_token": "access-token",
        "expires_in": 3_599,
        "schema": {"fields": [{"name": name, "type": type} for name, type in SCHEMA.items()]},
    }
).encode()

CASE = Case(
    config={"service_account": ACCOUNT, "project": "shop-1", "dataset": "analytics"},
    accepts=reply(200, ANSWER),
    verifies=reply(200, ANSWER),
)
