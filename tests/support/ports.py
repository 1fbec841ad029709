"""Ports of 127.0.0.1 for servers of tests."""

import random
import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that no outgoing connection can take by chance, and hardly another test run."""
    while True:
        port = random.randrange(21_000, 32_768)
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) and not _taken(port):
                return port


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
