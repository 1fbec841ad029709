"""The deployment's settings, as a new process reads them from its environment."""

from __future__ import annotations

import runpy
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tracking.server import commands, settings
from tracking.server.database import settings_of

Read = Callable[..., dict[str, Any]]
#: Another variable than those that a test sets changes nothing.
FOREIGN = ("CACHE_URL", "HITSTREAM_POOL", "STATIC_ROOT", "PGAPPNAME", "HITSTREAM_WORKERS")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db.example/hits")
    monkeypatch.setenv("BROKER_URL", "redis://broker.example:6379/0")

    def values(**environment: str) -> dict[str, Any]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(settings.__file__)

    return values


def test_a_redis_broker_is_the_cache_too(read: Read) -> None:
    cache = read()["CACHES"]["default"]
    assert cache["LOCATION"] == "redis://broker.example:6379/0"
    assert "socket_timeout" in cache["OPTIONS"], "a silent cache delays no hit"


@pytest.mark.parametrize("broker", ["amqp://broker.example//", "redis://broker.example:6379/0"])
def test_the_cache_may_be_another_server(read: Read, broker: str) -> None:
    cache = read(BROKER_URL=broker, CACHE_URL="redis://cache.example:6379/1")["CACHES"]["default"]
    assert cache["LOCATION"] == "redis://cache.example:6379/1"


@pytest.mark.parametrize("broker", ["broker.example:6379", "valkey://:hidden@broker.example/0"])
def test_an_address_that_is_no_brokers_is_refused_and_not_repeated(read: Read, broker: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="BROKER_URL must be redis://") as raised:
        read(BROKER_URL=broker)
    assert broker not in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_with_rabbitmq_alone_each_process_counts_for_itself(read: Read) -> None:
    assert "CACHES" not in read(BROKER_URL="amqp://broker.example//")


def test_the_address_of_the_cache_may_be_in_a_file(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "cache"
    path.write_text("redis://cache.example:6379/1\n")
    found = read(BROKER_URL="amqp://broker.example//", CACHE_URL_FILE=str(path))
    assert found["CACHES"]["default"]["LOCATION"] == "redis://cache.example:6379/1"


@pytest.mark.parametrize(("given", "size"), [({}, 20), ({"HITSTREAM_POOL": "5"}, 5)])
def test_the_pool_is_as_large_as_it_is_set(read: Read, given: dict[str, str], size: int) -> None:
    pool = read(**given)["DATABASES"]["default"]["OPTIONS"]["pool"]
    assert (pool["min_size"], pool["max_size"]) == (0, size)


def test_a_pool_without_connections_is_refused(read: Read) -> None:
    with pytest.raises(ImproperlyConfigured, match="HITSTREAM_POOL must be 1 or more, not 0"):
        read(HITSTREAM_POOL="0")


@pytest.mark.parametrize(
    ("given", "says"),
    [("many", "a whole number, not 'many'"), ("0", "1 or more, not 0")],
)
@pytest.mark.parametrize(
    "name", ["HITSTREAM_THREADS", "HITSTREAM_MAX_WAITING", "HITSTREAM_ANSWER_TIMEOUT"]
)
def test_a_limit_that_is_no_positive_number_is_refused(
    read: Read, name: str, given: str, says: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{name} must be {says}"):
        read(**{name: given})


def test_of_several_hosts_the_one_that_takes_writes_is_used() -> None:
    url = "postgresql://app@db1:5432,db2:5433/hits"
    found = settings_of(url, "hitstream-web", pool=5)
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db1,db2", "5432,5433", "hits")
    options = found["OPTIONS"]
    assert isinstance(options, dict)
    assert options["target_session_attrs"] == "read-write"


def test_what_several_hosts_are_asked_for_may_be_chosen() -> None:
    url = "postgresql://app@db1,db2/hits?target_session_attrs=any"
    options = settings_of(url, "hitstream-web", pool=5)["OPTIONS"]
    assert isinstance(options, dict)
    assert options["target_session_attrs"] == "any"


def test_one_host_is_asked_nothing() -> None:
    options = settings_of("postgresql://app@db1/hits", "hitstream-web", pool=5)["OPTIONS"]
    assert isinstance(options, dict)
    assert "target_session_attrs" not in options


def test_a_checkout_has_the_templates_beside_its_package(read: Read) -> None:
    folders = read()["TEMPLATES"][0]["DIRS"]
    assert any((folder / "hitstream/console/hit.html").is_file() for folder in folders)


def test_beats_schedule_is_where_nobody_else_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = Path(commands.schedule()).parent
    assert folder.parent == tmp_path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert Path(commands.schedule()).parent == tmp_path
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    # As systemd writes several.
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{runtime}:{tmp_path}")
    assert Path(commands.schedule()).parent == runtime
