"""Debian's RabbitMQ in a directory of its own, on loopback ports of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port
from tests.support.waiting import wait_until

# The package's own /usr/sbin/rabbitmq-server insists on being root or rabbitmq.
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class RabbitMQ:
    def __init__(self, directory: Path) -> None:
        assert SERVER.exists(), "RabbitMQ is missing: make test-deps"
        self.directory = directory
        self.port = free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        self.environment = {
            **os.environ,
            "HOME": str(directory),
            "RABBITMQ_NODENAME": f"hitstream{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # It may be ended although it has not yet noticed that its node is gone.
            "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",
            "RABBITMQ_MNESIA_BASE": str(directory / "data"),
            "RABBITMQ_LOG_BASE": str(directory / "logs"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
            "RABBITMQ_PID_FILE": str(directory / "pid"),
        }

    def start(self) -> None:
        """It takes connections."""
        output = self.directory / "output"
        with output.open("wb") as log:
            self.process = subprocess.Popen(
                [SERVER], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(lambda: "Starting broker... completed" in output.read_text(), within=60)

    def kill(self) -> None:
        """It is gone at once, with whatever it had not written."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.kill()
        # The port mapper outlives its nodes.
        subprocess.run(["epmd", "-kill"], env=self.environment, capture_output=True, check=True)


@contextmanager
def rabbitmq(directory: Path) -> Iterator[RabbitMQ]:
    broker = RabbitMQ(directory)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
