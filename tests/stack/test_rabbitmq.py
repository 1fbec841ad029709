"""The other broker: the same promises over AMQP."""

import tempfile
from pathlib import Path

from tests.stack.rabbitmq import rabbitmq
from tests.support.cluster import MigratedPostgres
from tests.support.stack import running
from tests.support.vendor import open_vendor, reply
from tests.support.waiting import wait_until


def test_rabbitmq_rings_and_its_death_loses_nothing() -> None:
    with tempfile.TemporaryDirectory(prefix="hitstream-amqp-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        with (
            MigratedPostgres(directory, keep=False) as postgres,
            rabbitmq(directory) as broker,
            running(directory, postgres.url, broker.url, HITSTREAM_WORKERS="1") as stack,
            open_vendor(reply()) as vendor,
        ):
            token = stack.issue("amqp")
            stack.forward("amqp", vendor.url)
            assert stack.sender(token).post("first").status == 204
            wait_until(lambda: len(vendor.received) == 1, within=4)
            broker.kill()
            answers = stack.post_many(token, 100, prefix="a")
            assert {answer.status for answer in answers} == {204}
            broker.start()
            wait_until(lambda: len(vendor.received) == 101, within=60)
