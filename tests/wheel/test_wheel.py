"""The wheel in somebody else's project: stock admin, a Celery app of its own, ATOMIC_REQUESTS, and
every default of Django REST framework turned against us."""

import json
import re
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.form_client import FormClient, Page
from tests.support.hits import basic, hit
from tests.support.vendor import Vendor
from tests.wheel.stranger import ROOT, Stranger, run

JSON = {"Content-Type": "application/json"}


def files(directory: Path, prefix: str) -> set[str]:
    return {
        f"{prefix}/{path.relative_to(directory).as_posix()}"
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def contents(wheel: Path) -> dict[str, int]:
    with zipfile.ZipFile(wheel) as opened:
        return {item.filename: item.CRC for item in opened.infolist()}


def issue(host: Stranger, name: str) -> str:
    issued: dict[str, str] = json.loads(host.manage("issue_token", name, "--json"))
    return issued["api_token"]


def add_webhook(host: Stranger, token: str, vendor: Vendor) -> None:
    config = json.dumps({"url": vendor.url})
    host.manage("add_integration", token, "webhook", "--config", config)


def post(browser: FormClient, api_token: str, body: Any = None, **headers: str) -> Page:
    body = json.dumps(hit()).encode() if body is None else body
    return browser.open("/hits/track", body, {**JSON, "Authorization": basic(api_token), **headers})


def wait_for(vendor: Vendor) -> Any:
    deadline = time.monotonic() + 20
    while not vendor.received:
        assert time.monotonic() < deadline, "Nothing arrives"
        time.sleep(0.05)
    return vendor.received[0].json["data"]


def test_the_wheel_holds_the_app_and_nothing_else(wheel: Path) -> None:
    names = set(contents(wheel))
    about = {name for name in names if re.match(r"hitstream-[^/]+\.dist-info/", name)}
    assert names - about == files(ROOT / "tracking", "tracking") | files(
        ROOT / "templates", "tracking/templates"
    )
    assert {
        "tracking/py.typed",
        "tracking/static/hitstream/admin.css",
        "tracking/templates/hitstream/issued.html",
        "tracking/templates/admin/hitstream/hit/change_form.html",
    } <= names


def test_the_source_distribution_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path, ROOT)
    assert contents(next(tmp_path.glob("*.whl"))) == contents(wheel)


def test_the_project_uses_the_wheel_and_not_the_checkout(host: Stranger) -> None:
    told = host.run("python", "-c", "import tracking; print(tracking.__file__)")
    assert Path(told).is_relative_to(host.bin.parent)


def test_what_an_extra_brings_is_not_needed(host: Stranger) -> None:
    found = "from importlib.util import find_spec; print(find_spec('drf_spectacular'))"
    assert host.run("python", "-c", found).strip() == "None"
    assert "Provides-Extra: openapi" in host.run(
        "python", "-c", "from importlib.metadata import metadata; print(metadata('hitstream'))"
    )


def test_the_checks_have_nothing_to_say_of_it(host: Stranger) -> None:
    ours = ("--tag", "hitstream", "--tag", "database")
    said = host.manage("check", "--deploy", "--database", "default", *ours)
    assert "hitstream." not in said
    assert "No changes" in host.manage("makemigrations", "--check", "--dry-run", "hitstream")


@pytest.mark.parametrize(
    ("fault", "code"),
    [({"HOST_NAIVE": "1"}, "hitstream.E006"), ({"HOST_SQLITE": "1"}, "hitstream.E007")],
)
def test_a_project_that_cannot_work_is_told_so(
    host: Stranger, fault: dict[str, str], code: str
) -> None:
    with pytest.raises(AssertionError, match=re.escape(code)):
        host.manage("check", **fault)


def test_its_static_files_are_found(host: Stranger) -> None:
    said = host.manage("collectstatic", "--noinput", "--verbosity", "2")
    assert "hitstream/admin.css" in said
    assert "hitstream/copy.js" in said


def test_a_hit_is_stored(host: Stranger, browser: FormClient) -> None:
    api_token = issue(host, "stored")
    body = json.dumps(hit(hitId="stored", integrations={})).encode()
    assert post(browser, api_token, body).status == 204
    assert post(browser, api_token, body).status == 204
    assert host.query("SELECT count(*) FROM hitstream_hit WHERE hit_id = 'stored'") == [(1,)]


def test_a_chunked_body_is_stored_too(host: Stranger, browser: FormClient) -> None:
    api_token = issue(host, "chunked")
    body = json.dumps(hit(hitId="chunked", properties={"long": "x" * 10_000})).encode()
    chunks = (body[start : start + 1000] for start in range(0, len(body), 1000))
    assert post(browser, api_token, chunks).status == 204
    stored = host.query("SELECT payload FROM hitstream_hit WHERE hit_id = 'chunked'")
    assert stored == [(json.loads(body),)]


def test_a_chunked_body_past_the_limit_is_refused(host: Stranger, browser: FormClient) -> None:
    refused = post(browser, issue(host, "endless"), (b"x" * 11_000 for _ in range(6)))
    assert json.loads(refused.text)["code"] == "body_too_large"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Basic bm9ib2R5Og=="}, 401, "token_invalid"),
        ({"Authorization": ""}, 401, "token_missing"),
        ({"Content-Type": "text/plain"}, 415, "content_type_unsupported"),
        ({"Accept": "application/xml"}, 400, "json_invalid"),
    ],
)
def test_what_is_refused_is_refused_in_our_words(
    host: Stranger, browser: FormClient, headers: dict[str, str], status: int, code: str
) -> None:
    api_token = issue(host, f"refused {code}")
    refused = post(browser, api_token, b"not JSON", **headers)
    assert (refused.status, json.loads(refused.text)["code"]) == (status, code)
    assert refused.headers["content-type"] == "application/json"
    assert refused.headers.get("www-authenticate") == ("ApiToken" if status == 401 else None)


def test_an_operator_goes_from_an_empty_admin_to_a_delivered_hit(
    host: Stranger, operator: FormClient, vendor: Vendor
) -> None:
    issued = operator.submit(
        "/admin/hitstream/token/add/", name="by hand", enabled="on", ip_policy="keep"
    )
    found = re.search(r"hs_\w{6}_\w{32}", issued.text)
    assert found, issued.text
    [(pk,)] = host.query("SELECT id FROM hitstream_token WHERE name = 'by hand'")
    added = operator.submit(
        "/admin/hitstream/integration/add/?destination=webhook",
        token=str(pk),
        name="Hook",
        enabled="on",
        max_attempts="3",
        max_age="3600",
        retry_base="30",
        concurrency="4",
        **{"config-url": vendor.url, "config-timeout": "5"},
    )
    assert "whsec_" in added.text, added.text
    assert post(operator, found[0], json.dumps(hit(hitId="by-hand")).encode()).status == 204
    host.manage("sweep", "--deliver")
    assert wait_for(vendor)["hitId"] == "by-hand"
    [(uuid,)] = host.query("SELECT id FROM hitstream_hit WHERE hit_id = 'by-hand'")
    page = operator.open(f"/admin/hitstream/hit/{uuid}/change/")
    assert page.status == 200
    assert "HTTP 200" in page.text
    lists = ("token", "integration", "hit", "delivery", "deadletter", "attempt", "revision")
    for name in (*lists, "operation", "fileimport"):
        assert operator.open(f"/admin/hitstream/{name}/").status == 200, name
    [(integration,)] = host.query("SELECT id FROM hitstream_integration WHERE name = 'Hook'")
    for name in ("change", "ledger", "replay", "backfill", "pause", "drain", "delete"):
        path = f"/admin/hitstream/integration/{integration}/{name}/"
        assert operator.open(path).status == 200, name
    for name in ("", "live", "search", "integrations", f"integrations/{integration}", "audit"):
        path = f"/console/{name}/".replace("//", "/")
        assert operator.open(path).status == 200, name
    host.manage("reconcile")


def test_the_projects_own_worker_delivers(
    host: Stranger, browser: FormClient, vendor: Vendor, tmp_path: Path
) -> None:
    api_token = issue(host, "worker")
    add_webhook(host, "worker", vendor)
    worker = ("-A", "host", "worker", "--pool", "solo", "--loglevel", "INFO")
    with host.running(tmp_path / "worker.log", " ready.", "celery", *worker):
        assert post(browser, api_token).status == 204
        assert wait_for(vendor)["name"] == "Registered"


@pytest.mark.parametrize("databases", [{}, {"HOST_ROUTED": "1"}], ids=["one", "two"])
def test_the_projects_own_tests_pass(host: Stranger, databases: dict[str, str]) -> None:
    assert "OK" in host.manage("test", "host", **databases)


def test_a_file_of_another_distribution_in_our_folder_is_named(host: Stranger) -> None:
    package = Path(host.run("python", "-c", "import tracking; print(tracking.__path__[0])").strip())
    foreign = package / "handlers.py"
    foreign.write_text("")
    try:
        with pytest.raises(AssertionError, match=r"E010(?s:.*)handlers\.py is not a file of"):
            host.manage("check")
    finally:
        foreign.unlink()
    assert "E010" not in host.manage("check")


def test_a_file_that_another_distribution_took_with_it_is_named(host: Stranger) -> None:
    package = Path(host.run("python", "-c", "import tracking; print(tracking.__path__[0])").strip())
    taken, kept = package / "testing.py", package / "testing.kept"
    taken.rename(kept)
    try:
        with pytest.raises(AssertionError, match=r"E010(?s:.*)testing\.py is missing"):
            host.manage("check")
    finally:
        kept.rename(taken)
