"""GET /t.js and /f/<path>.js."""

import gzip
import http.client
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tracking.ingest.http.script import SOURCE

MAX_ZIPPED = 2048
STRING = re.compile(r'"[^"]*"|`[^`]*`')
TYPE = "text/javascript; charset=utf-8"


def get(path: str = "/t.js", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(SERVER_NAME="localhost").get(path, headers=named)


def test_the_script_is_smaller_than_2_kb_on_the_wire() -> None:
    answer = get(accept_encoding="gzip, deflate, br")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.content) < MAX_ZIPPED


def test_the_script_is_the_same_zipped_and_plain() -> None:
    plain = get()
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(get(accept_encoding="gzip").content) == plain.content
    assert b"hitstream" in plain.content


@pytest.mark.parametrize("coding", ["gzip;q=0", "gzip; q=0.0", "br", "identity", "xgzip"])
def test_who_does_not_take_gzip_gets_none(coding: str) -> None:
    assert "Content-Encoding" not in get(accept_encoding=coding).headers


@pytest.mark.parametrize("coding", ["br, GZIP", "deflate, gzip;q=0.5", "gzip;q=1.0"])
def test_who_takes_gzip_among_others_gets_it(coding: str) -> None:
    assert get(accept_encoding=coding).headers["Content-Encoding"] == "gzip"


def test_any_site_may_embed_it_and_keep_it_for_an_hour() -> None:
    answer = get(origin="https://shop.example", cookie="a=b")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == TYPE
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert {"Accept-Encoding", "Origin"} <= set(answer.headers["Vary"].split(", "))
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_who_has_it_is_not_sent_it_again(coding: str) -> None:
    etag = get(accept_encoding=coding).headers["ETag"]
    again = get(accept_encoding=coding, if_none_match=f'W/"old", {etag}')
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["ETag"] == etag
    assert get(accept_encoding=coding, if_none_match='"old"').status_code == 200


def test_zipped_and_plain_are_told_apart_by_caches() -> None:
    assert get().headers["ETag"] != get(accept_encoding="gzip").headers["ETag"]


def test_a_first_party_path_serves_the_same_and_asks_no_database() -> None:
    # Without the mark for a database any query fails.
    assert get("/f/k3x9q2ab.js").content == get().content


def test_a_head_request_is_told_of_it() -> None:
    answer = Client(SERVER_NAME="localhost").head("/t.js")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == TYPE


def test_the_web_server_answers_a_head_and_then_a_get_on_one_connection(live: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", live, timeout=10)
    connection.request("HEAD", "/t.js", headers={"Accept-Encoding": "gzip"})
    head = connection.getresponse()
    assert head.read() == b""
    connection.request("GET", "/f/k3x9q2ab.js", headers={"Accept-Encoding": "gzip"})
    got = connection.getresponse()
    assert gzip.decompress(got.read()) == get().content
    assert got.headers["ETag"] == head.headers["ETag"]
    connection.close()


def test_other_methods_are_refused() -> None:
    answer = Client(SERVER_NAME="localhost").post("/t.js")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_what_is_served_is_the_source_but_for_comments_and_space(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "Node is missing: make test-deps"
    served = tmp_path / "t.js"
    served.write_bytes(get().content)
    subprocess.run([node, "--check", served], check=True)
    lines = [line.strip() for line in SOURCE.read_text().splitlines()]
    code = "\n".join(line for line in lines if not line.startswith("//"))
    text = served.read_text()
    assert "".join(text.split()) == "".join(code.split())
    assert STRING.findall(text) == STRING.findall(code)
