"""The secrets that `make run` generates, each in a file that only its user can read."""

import base64
import os
import secrets
from pathlib import Path

PASSWORD, TOKEN = "admin_password", "development_token"


def keep_secret(path: Path, text: str) -> None:
    """Write the text to the file, wholly or not at all, with mode 0600."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def make_secrets(directory: Path, *, is_loopback: bool) -> None:
    """Generate Django's key and the key for credentials at rest unless they exist. A `make run`
    that only this machine reaches may call private destinations, like the receivers that people try
    it with, and so may every command beside it."""
    keep_secret(directory / "allow_private_destinations", "1" if is_loopback else "0")
    secret_key, secret_keys = directory / "secret_key", directory / "secret_keys"
    if not secret_key.exists():
        keep_secret(secret_key, secrets.token_urlsafe(50))
    if not secret_keys.exists():
        keep_secret(secret_keys, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
