"""Senders that post hits without a pause, each hit until it is accepted, as SDKs do."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.deploy.site import Browser

SENDERS = 4
PAUSE = 0.04


@dataclass
class Traffic:
    port: int
    certificate: Path
    token: str
    accepted: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    stopped: threading.Event = field(default_factory=threading.Event)

    def send(self, sender: int) -> None:
        browser = Browser(self.port, self.certificate)
        number = 0
        while not self.stopped.is_set():
            number += 1
            hit_id = f"t{sender}-{number}"
            while self.attempt(browser, hit_id) != "204":
                time.sleep(0.2)
            self.accepted.add(hit_id)
            time.sleep(PAUSE)

    def attempt(self, browser: Browser, hit_id: str) -> str:
        """Post the hit. Returns the status, and counts it: "503" only with Retry-After."""
        try:
            answer = browser.track(self.token, hit_id)
        except requests.RequestException as error:
            result = type(error).__name__
        else:
            result = str(answer.status_code)
            if result == "503" and not answer.headers.get("Retry-After"):
                result = "503 without Retry-After"
        self.answers[result] += 1
        return result


@contextmanager
def traffic(port: int, certificate: Path, token: str) -> Iterator[Traffic]:
    """Traffic during the block; afterwards each hit that was begun is accepted."""
    made = Traffic(port, certificate, token)
    threads = [threading.Thread(target=made.send, args=(sender,)) for sender in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made.stopped.set()
        for thread in threads:
            thread.join(60)
