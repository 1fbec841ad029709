"""What a wrong setting is answered with."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

import tracking
from tests.support.integrations import add_webhook
from tests.support.rounds import channel
from tracking.models import Token
from tracking.models.hits import partitions


def found(settings: Any, **changes: Any) -> list[str]:
    settings.HITSTREAM = {**settings.HITSTREAM, **changes}
    return [str(message.id) for message in run_checks(tags=["hitstream"], databases=[])]


def test_the_tests_own_settings_are_fine(settings: Any) -> None:
    assert found(settings) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"QEUE_SIZE": 1}, "hitstream.E001"),
        ({"QUEUE_SIZE": "64k"}, "hitstream.E002"),
        ({"REQUEST_DEADLINE": -1}, "hitstream.E002"),
        ({"SECRET_KEYS": ()}, "hitstream.W003"),
        ({"SECRET_KEYS": ("nonsense",)}, "hitstream.E003"),
        ({"METRICS_FOR": ("10.0.0.0/8", "prometheus")}, "hitstream.E009"),
        ({"OUTBOUND_PROXY": "proxy.example:3128"}, "hitstream.E012"),
        ({"OUTBOUND_PROXY": "https://proxy.example:3128"}, "hitstream.E012"),
        ({"OUTBOUND_PROXY": "http://proxy.example:99999"}, "hitstream.E012"),
        ({"METRICS_TOKEN": "short"}, "hitstream.W009"),
        ({"SPOOL": "var/spool"}, "hitstream.E021"),
        ({"SPOOL": "/dev/null"}, "hitstream.W023"),
        ({"SPOOL": "/dev/null/spool"}, "hitstream.W023"),
        ({"SPOOL": "/tmp/spool", "SPOOL_AFTER": 15.0}, "hitstream.E021"),
        ({"SPOOL": "/tmp/spool", "SPOOL_BYTES": 1_000_000}, "hitstream.E021"),
        ({"REPLICA": "default"}, "hitstream.E022"),
    ],
)
def test_a_wrong_setting_is_named(settings: Any, changes: dict[str, Any], code: str) -> None:
    assert found(settings, **changes) == [code]


@pytest.mark.django_db(transaction=True)
def test_too_few_partitions_are_reported(settings: Any) -> None:
    def codes() -> list[str]:
        return [str(each.id) for each in run_checks(tags=["database"], databases=["default"])]

    assert codes() == ["hitstream.W004"]
    settings.HITSTREAM = {**settings.HITSTREAM, "PARTITION_DAYS_AHEAD": 8}
    with connection.cursor() as cursor:

        def execute(sql: str, params: Any = None) -> Any:
            cursor.execute(sql, params)
            return cursor

        made = partitions.make_ahead(execute)
        assert codes() == []
        for leaf in made:
            cursor.execute(f"DROP TABLE {leaf}")


def test_an_integration_whose_key_is_lost_is_named(token: Token, settings: Any) -> None:
    add_webhook(token, name="Orders")
    settings.HITSTREAM = {**settings.HITSTREAM, "SECRET_KEYS": ("A" * 43 + "=",)}
    messages = run_checks(tags=["database"], databases=["default"])
    (lost,) = [message for message in messages if message.id == "hitstream.E005"]
    assert "Orders (shop)" in lost.msg


def test_a_channel_whose_key_is_lost_is_named(transactional_db: None, settings: Any) -> None:
    channel("slack", "On call", webhook_url="https://hooks.slack.com/services/T/B/x")
    settings.HITSTREAM = {**settings.HITSTREAM, "SECRET_KEYS": ("A" * 43 + "=",)}
    messages = run_checks(tags=["database"], databases=["default"])
    (lost,) = [message for message in messages if message.id == "hitstream.E005"]
    assert "On call" in lost.msg


@pytest.mark.parametrize(
    ("tenant", "shared", "code"),
    [
        (["tracking"], ["django.contrib.auth", "tracking"], ["hitstream.E015"]),
        (["shop"], ["tracking"], ["hitstream.E016"]),
        (["shop"], ["django.contrib.auth", "tracking"], []),
    ],
)
def test_django_tenants_makes_the_tables_once(
    settings: Any, tenant: list[str], shared: list[str], code: list[str]
) -> None:
    settings.TENANT_MODEL = "customers.Client"
    settings.TENANT_APPS, settings.SHARED_APPS = tenant, shared
    assert found(settings) == code


@pytest.mark.parametrize("path", ["nowhere.site", "json.dumps"])
def test_a_setting_that_names_no_admin_site_is_told(settings: Any, path: str) -> None:
    assert found(settings, ADMIN_SITE=path) == ["hitstream.E014"]


def test_a_package_that_has_the_import_name_too_is_named(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """manage.py would put its folder before Hitstream's; the server of this process did not."""
    (tmp_path / "tracking").mkdir()
    (tmp_path / "manage.py").touch()
    monkeypatch.chdir(tmp_path)
    assert found(settings) == []
    (tmp_path / "tracking" / "__init__.py").touch()
    assert found(settings) == ["hitstream.E019"]


def test_a_package_later_on_the_path_is_named(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tracking.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert found(settings) == ["hitstream.E019"]


def test_another_copy_of_hitstream_is_no_other_package(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "tracking"
    copy.mkdir()
    for file in Path(tracking.__file__).parent.glob("*.py"):
        shutil.copy(file, copy)
    monkeypatch.syspath_prepend(tmp_path)
    assert found(settings) == []


def test_an_admin_site_that_no_url_leads_to_is_named(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.support.without_admin"
    assert found(settings) == ["hitstream.E014"]


def test_a_project_without_users_is_told_which_app_is_missing() -> None:
    """In a process of its own: no app can be taken out of a running project."""
    code = (
        "from django.conf import settings\n"
        "settings.configure(INSTALLED_APPS=['rest_framework', 'tracking'],"
        " ROOT_URLCONF='tracking.all', SECRET_KEY='x')\n"
        "import django; django.setup()\n"
        "from django.core.management import call_command; call_command('check')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "hitstream.E013" in done.stderr
    assert "RuntimeError" not in done.stderr
