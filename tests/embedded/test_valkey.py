import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from redis import Redis

from project.embedded.valkey import EmbeddedValkey


def client(valkey: EmbeddedValkey) -> Any:
    return Redis(unix_socket_path=str(valkey.socket))


def killed(var: Path) -> EmbeddedValkey:
    """A server with one key, dead by kill -9."""
    valkey = EmbeddedValkey(var)
    valkey.start()
    client(valkey).set("kept", "7")
    pid = valkey.running_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    valkey.stop()
    return valkey


def test_a_key_survives_a_stop_and_a_start(var: Path) -> None:
    with EmbeddedValkey(var) as valkey:
        client(valkey).set("kept", "7")
    assert valkey.running_pid() is None
    with EmbeddedValkey(var) as valkey:
        assert client(valkey).get("kept") == b"7"


def test_a_key_survives_kill_9(var: Path) -> None:
    killed(var)
    with EmbeddedValkey(var) as valkey:
        assert client(valkey).get("kept") == b"7"


@pytest.mark.parametrize("damage", [b"*3\r\n$3\r\nSET\r\n$1\r\na", b"\0" * 64, b"nonsense\r\n" * 9])
def test_a_damaged_end_of_the_append_only_file_is_cut_off(var: Path, damage: bytes) -> None:
    log = killed(var).data / "appendonlydir"
    with next(log.glob("*.incr.aof")).open("ab") as file:
        file.write(damage)
    with EmbeddedValkey(var) as valkey:
        assert client(valkey).get("kept") == b"7"


def test_an_unreadable_append_only_file_is_set_aside(var: Path) -> None:
    data = killed(var).data
    next((data / "appendonlydir").glob("*.base.aof")).write_bytes(b"nonsense\r\n")
    with EmbeddedValkey(var) as valkey:
        assert client(valkey).get("kept") is None
    assert list(data.glob("appendonlydir.broken-*"))


def test_a_stale_pid_file_is_removed_and_the_unrelated_process_lives(var: Path) -> None:
    valkey = killed(var)
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        valkey.pid_file.write_text(f"{bystander.pid}\n")
        with EmbeddedValkey(var) as again:
            assert client(again).get("kept") == b"7"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_second_start_uses_the_running_server_and_does_not_stop_it(var: Path) -> None:
    with EmbeddedValkey(var) as first:
        with EmbeddedValkey(var) as second:
            client(second).set("kept", "7")
        assert client(first).get("kept") == b"7"


def test_kombu_understands_the_url(var: Path) -> None:
    with EmbeddedValkey(var) as valkey, Connection(valkey.url) as connection:
        queue = connection.SimpleQueue("bell")
        queue.put("ring")
        assert queue.get(timeout=5).payload == "ring"


def test_the_socket_is_private_and_there_is_no_port(var: Path) -> None:
    with EmbeddedValkey(var) as valkey:
        assert client(valkey).config_get("port") == {"port": "0"}
        assert valkey.socket.stat().st_mode & 0o777 == 0o700


def test_a_start_waits_for_nothing(var: Path) -> None:
    began = time.monotonic()
    with EmbeddedValkey(var):
        assert time.monotonic() - began < 5
