"""A destination from another package: no migration, no change of ours, and it is all there."""

import json

from tests.support.form_client import FormClient
from tests.support.hits import hit
from tests.support.vendor import open_vendor, reply
from tests.wheel.stranger import Stranger
from tests.wheel.test_wheel import issue, post

FORM = {
    "name": "Pigeon",
    "enabled": "on",
    "max_attempts": "3",
    "max_age": "3600",
    "retry_base": "30",
    "concurrency": "1",
    "mapping-rename": "Registered = Coo",
    "config-ring": "very-secret-ring",
}


def test_it_is_listed_with_its_fields(host: Stranger) -> None:
    listed = {each["slug"]: each for each in json.loads(host.manage("destinations", "--json"))}
    assert [field["name"] for field in listed["pigeon"]["fields"]] == ["loft", "ring"]
    assert listed["pigeon"]["fields"][1]["secret"] is True
    assert "Carrier pigeon" in host.manage("destinations")
    host.manage("makemigrations", "--check", "--dry-run")


def test_it_is_set_up_previewed_and_delivers(host: Stranger, operator: FormClient) -> None:
    api_token = issue(host, "pigeons")
    [(token,)] = host.query("SELECT id FROM hitstream_token WHERE name = 'pigeons'")
    path = "/admin/hitstream/integration/add/"
    assert "Carrier pigeon" in operator.open(path).text
    assert "Where the pigeon lives." in operator.open(f"{path}?destination=pigeon").text
    csrf_token = operator.csrf_token(f"{path}?destination=pigeon")
    with open_vendor(reply(200)) as vendor:
        typed = {**FORM, "token": str(token), "config-loft": vendor.url}
        assert post(operator, api_token, json.dumps(hit()).encode()).status == 204
        preview = operator.post("/admin/hitstream/integration/mapping/", csrf_token, **typed)
        (shown,) = json.loads(preview.text)["hits"]
        assert (shown["before"]["name"], shown["after"]["name"]) == ("Registered", "Coo")
        operator.submit(f"{path}?destination=pigeon", **typed)
        [(integration,)] = host.query("SELECT id FROM hitstream_integration WHERE name = 'Pigeon'")
        tried = operator.submit(f"/admin/hitstream/integration/{integration}/verify/")
        assert "It is at home." in tried.text
        assert post(operator, api_token, json.dumps(hit()).encode()).status == 204
        host.manage("sweep", "--deliver")
        (message,) = vendor.received[-1].json
        assert message["says"] == "Coo"
        assert vendor.received[-1].headers["x-ring"] == "very-secret-ring"
