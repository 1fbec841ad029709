"""The sample of the public HTTP API's page."""

from typing import Any

SEED: dict[str, Any] = {
    "hitId": "4c59d330-35c7-11e9-8f27-8d1d7d4690e7",
    "sentAt": "2019-02-21T10:56:10.723Z",
    "event": {
        "category": "Auth",
        "name": "Registered",
        "label": "some label",
        "user": {
            "anonymousId": "80ddb140-35c6-11e9-bd56-eb1c05e6de18",
            "emailHash": "eff8c37862c7a2f0019448289bdd0869c30ae7f07060e4be9d",
            "userId": "u2783187492",
            "firstName": "John",
            "lastName": "Doe",
        },
        "nonInteraction": False,
    },
    "context": {"ip": "123.22.334.55"},
}
