"""Guessing at the sign-in: counted before a password is checked, and one password at a time."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.test import Client

from tests.support.people import operator
from tracking.server import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/admin/login/"


@pytest.fixture(autouse=True)
def _no_counts(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many passwords were being checked whenever one was."""
    found: list[int] = []
    running = threading.Semaphore(0)
    original = MD5PasswordHasher.encode

    def encode(self: MD5PasswordHasher, *args: Any, **kwargs: Any) -> str:
        running.release()
        found.append(running._value)
        time.sleep(0.005)
        try:
            return original(self, *args, **kwargs)
        finally:
            running.acquire()

    monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
    return found


def guess(name: str, password: str, address: str = "192.0.2.1") -> Any:
    data = {"username": name, "password": password, "next": "/admin/"}
    return Client(REMOTE_ADDR=address).post(URL, data)


def test_a_name_is_guessed_at_five_times_and_no_more(checked: list[int]) -> None:
    operator("olaf")
    checked.clear()
    for _ in range(sign_in.MOST_OF_PAIR):
        assert b"the password is wrong" in guess("olaf", "wrong").content
    count = len(checked)
    answer = guess("Olaf", "olaf")
    assert b"too many attempts" in answer.content
    assert len(checked) == count, "no password is checked"
    assert guess("olaf", "olaf", "192.0.2.2").status_code == 302, "another address may sign in"


def test_an_address_guesses_at_a_few_names(checked: list[int]) -> None:
    for number in range(sign_in.MOST_OF_ADDRESS):
        guess(f"name{number}", "wrong")
    assert b"too many attempts" in guess("another", "wrong").content
    assert b"too many attempts" not in guess("another", "wrong", "192.0.2.2").content


def test_the_addresses_of_one_ipv6_network_are_one_client() -> None:
    assert sign_in.network_of("2001:db8:1:2:3::4") == sign_in.network_of("2001:db8:1:2::9")
    assert sign_in.network_of("2001:db8:1:3::9") != sign_in.network_of("2001:db8:1:2::9")


def test_who_signs_in_is_not_counted() -> None:
    operator("olaf")
    for _ in range(sign_in.MOST_OF_ADDRESS + 1):
        assert guess("olaf", "olaf").status_code == 302


def test_parallel_guesses_are_checked_one_by_one(
    checked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "TURN_SECONDS", 30.0)
    threads = [
        threading.Thread(target=guess, args=(f"n{number}", "wrong", f"192.0.2.{number}"))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert checked
    assert max(checked) == 1


def test_who_gets_no_turn_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "TURN_SECONDS", 0.05)
    with sign_in.turn():
        began = time.monotonic()
        answer = guess("olaf", "olaf")
    assert b"at once" in answer.content
    assert time.monotonic() - began < 2


def test_without_a_cache_people_still_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    operator("olaf")

    def fail(*args: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(sign_in, "cache", SimpleNamespace(add=fail, delete=fail))
    assert guess("olaf", "olaf").status_code == 302
