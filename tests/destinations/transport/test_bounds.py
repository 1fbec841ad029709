"""What a destination sends is bounded, whatever it speaks: servers that send without end."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow
import pyarrow.parquet
import pytest

from tests.destinations.samples import SALE, sales
from tests.support.vendor import Received, Vendor, listen, open_vendor
from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.http import Client
from tracking.destinations.transport.relay import Relay
from tracking.destinations.vendors.amqp.destination import Amqp
from tracking.destinations.vendors.object_storage import files
from tracking.destinations.vendors.object_storage.destination import ObjectStorage
from tracking.destinations.vendors.postgresql.destination import PostgreSQL
from tracking.destinations.vendors.webhook.destination import Webhook
from tracking.exceptions import DeliveryError, SetupError

#: Bytes by which the memory may grow: most of what the libraries themselves take at first use.
GROWTH = 150_000_000
FLOOD = b"\0" * 1_000_000
#: What a flood may send before the test gives up on it.
MOST = 3_000


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """The memory of this process stays bounded meanwhile."""
    process, over = psutil.Process(), threading.Event()
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.01):
            peak = max(peak, process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert peak - before < GROWTH, f"{(peak - before) / 1e6:.0f} MB"


def flood(connection: socket.socket) -> None:
    for _ in range(MOST):
        connection.sendall(FLOOD)


@contextlib.contextmanager
def speaking(speak: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that speaks as soon as somebody connects."""
    listener = listen()

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                speak(connection)

    threading.Thread(target=run, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def assert_fails_soon(destination: Destination) -> DeliveryError:
    async def send() -> None:
        async with Client() as client:
            await destination.deliver([SALE], client)

    began = time.monotonic()
    with bounded(), pytest.raises(DeliveryError) as caught:
        asyncio.run(send())
    assert time.monotonic() - began < destination.timeout + 5
    return caught.value


def postgresql(port: int) -> PostgreSQL:
    names = {"database": "d", "user": "u", "password": "p", "sslmode": "prefer"}
    return PostgreSQL({"host": "127.0.0.1", "port": port, **names})


def message(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    return kind + struct.pack("!I", (len(body) if length is None else length) + 4) + body


def test_a_postgresql_server_that_sends_a_row_of_two_gigabytes() -> None:
    def speak(connection: socket.socket) -> None:
        connection.recv(8)
        connection.sendall(b"N")
        connection.recv(65_536)
        connection.sendall(message(b"R", struct.pack("!I", 0)) + message(b"Z", b"I"))
        connection.recv(65_536)
        connection.sendall(message(b"D", b"", 2_000_000_000))
        flood(connection)

    with speaking(speak) as port:
        assert "sent more than" in str(assert_fails_soon(postgresql(port)))


def test_a_postgresql_server_that_sends_notices_without_end() -> None:
    def speak(connection: socket.socket) -> None:
        connection.recv(8)
        connection.sendall(b"N")
        connection.recv(65_536)
        for _ in range(MOST * 100):
            connection.sendall(message(b"N", b"MA" + b"x" * 10_000 + b"\0\0"))

    with speaking(speak) as port:
        assert_fails_soon(postgresql(port))


def amqp(port: int) -> Amqp:
    names = {"user": "u", "password": "p", "routing_key": "k", "vhost": "/"}
    return Amqp({"host": "127.0.0.1", "port": port, **names})


def test_an_amqp_server_that_announces_a_frame_of_three_gigabytes() -> None:
    def speak(connection: socket.socket) -> None:
        connection.recv(8)
        connection.sendall(struct.pack("!BHI", 1, 0, 3_000_000_000))
        flood(connection)

    with speaking(speak) as port:
        assert_fails_soon(amqp(port))


def webhook(port: int) -> Webhook:
    secret = "whsec_" + "A" * 40
    url = f"http://127.0.0.1:{port}/"
    return Webhook({"url": url, "signing_secret": secret, "batch_size": 1, "timeout": 2})


HTTP_FLOODS: dict[str, tuple[bytes, bytes]] = {
    "a header": (b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 1_000_000),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"".join(b"X-%d: a\r\n" % n for n in range(90_000))),
    "a status line": (b"HTTP/1.1 200 ", b"O" * 1_000_000),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 40_000),
    "a chunk's extension": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=",
        b"b" * 1_000_000,
    ),
    "a body": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1_000_000),
    "a gzip bomb": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n",
        gzip.compress(bytes(50_000_000)),
    ),
}


@pytest.mark.parametrize("kind", HTTP_FLOODS)
def test_an_http_server_that_sends_without_end(kind: str) -> None:
    head, part = HTTP_FLOODS[kind]

    def speak(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(head)
        for _ in range(MOST):
            connection.sendall(part)

    async def send() -> None:
        async with Client() as client:
            with contextlib.suppress(DeliveryError):
                await webhook(port).deliver([SALE], client)

    began = time.monotonic()
    with speaking(speak) as port, bounded():
        asyncio.run(asyncio.wait_for(send(), 15))
    assert time.monotonic() - began < 15


def pack(part: bytes, times: int) -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    return b"".join(packer.compress(part) for _ in range(times)) + packer.flush()


def long_rows() -> bytes:
    return pack(b'{"id": "a"}' + b" " * 1_000_000 + b"\n", 300)


def one_row() -> bytes:
    return pack(b" " * 1_000_000, 300)


def many_rows() -> bytes:
    return pack(b"".join(b'{"id": "%d"}\n' % number for number in range(20_000)), 100)


def parquet_bomb() -> bytes:
    """A small Parquet file with a column of ids that unpacks to gigabytes."""
    target = io.BytesIO()
    schema = pyarrow.schema([("id", pyarrow.string())])
    with pyarrow.parquet.ParquetWriter(
        target, schema, compression="zstd", use_dictionary=False
    ) as writer:
        for _ in range(10):
            part = pyarrow.table({"id": ["x" * 1_000_000] * 50}, schema=schema)
            writer.write_table(part)
    return target.getvalue()


@pytest.fixture
def local(tmp_path: Path, settings: Any) -> Callable[[str], ObjectStorage]:
    settings.HITSTREAM = {**settings.HITSTREAM, "LOCAL_FOLDER": str(tmp_path)}
    (tmp_path / "hits").mkdir()
    return lambda name: ObjectStorage({"service": "local", "bucket": "hits", "format": name})


@pytest.mark.parametrize(
    ("format", "data"),
    [
        ("ndjson", long_rows),
        ("ndjson", one_row),
        ("ndjson", many_rows),
        ("parquet", parquet_bomb),
    ],
)
def test_a_bomb_in_the_bucket(
    format: str, data: Any, local: Callable[[str], ObjectStorage], tmp_path: Path
) -> None:
    storage = local(format)
    path = tmp_path / "hits" / storage._key([SALE])
    path.parent.mkdir(parents=True)
    path.write_bytes(data())
    error = assert_fails_soon(storage)
    assert isinstance(error, SetupError)
    assert "file" in str(error)


def test_a_bucket_that_sends_without_end() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n"

    def judge(request: Received, connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(MOST):
            connection.sendall(b"%x\r\n" % len(FLOOD) + FLOOD + b"\r\n")

    with open_vendor(lambda connection: None) as vendor:
        vendor.judge = judge
        keys = {"access_key": "AKIA0", "secret_key": "s"}
        config = {"service": "s3", "bucket": "hits", "format": "ndjson", "endpoint": vendor.url}
        assert_fails_soon(ObjectStorage({**config, **keys}))


@pytest.mark.parametrize("format", ["ndjson", "parquet"])
def test_the_ids_of_a_file_of_ours_are_found(format: str) -> None:
    events = list(sales(300))
    data = files.pack(format, events)
    assert files.ids(files.ENDINGS[format], data) == {str(event.id) for event in events}


@pytest.mark.parametrize(
    "data", [b"", b"no", b"\x1f\x8b", gzip.compress(b"[]\n", mtime=0), b"PAR1PAR1"], ids=range(5)
)
@pytest.mark.parametrize("format", ["ndjson", "parquet"])
def test_a_file_that_is_not_ours_is_an_error_of_the_setup(format: str, data: bytes) -> None:
    with pytest.raises(SetupError, match="Move it"):
        files.ids(files.ENDINGS[format], data)


def test_the_relay_asks_for_its_password(vendor: Vendor) -> None:
    async def ask() -> bytes:
        async with Relay(1_000) as relay:
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            writer.write(f"CONNECT 127.0.0.1:{vendor.port} HTTP/1.1\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            return answer

    assert b" 407 " in asyncio.run(ask())
    assert vendor.connections == 0
