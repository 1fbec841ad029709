"""API tokens in the clear and as digests."""

from __future__ import annotations

import hashlib
import secrets


def digest_of(api_token: str | bytes) -> bytes:
    """Return the SHA-256. An API token holds 190 random bits, so a fast digest is as safe as a slow
    one."""
    return hashlib.sha256(api_token.encode() if isinstance(api_token, str) else api_token).digest()


class ApiToken(str):
    """A fresh API token in the clear: shown once, then known only by its digest."""

    ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

    @classmethod
    def generate(cls) -> ApiToken:
        def random(length: int) -> str:
            return "".join(secrets.choice(cls.ALPHABET) for _ in range(length))

        return cls(f"hs_{random(6)}_{random(32)}")

    @property
    def prefix(self) -> str:
        """The part that may be shown, enough to recognise a token."""
        return self.rpartition("_")[0]

    @property
    def digest(self) -> bytes:
        return digest_of(self)
