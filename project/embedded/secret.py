"""The secrets that `make run` makes for itself, each in a file that only its user reads."""

import base64
import os
import secrets
from pathlib import Path

PASSWORD, TOKEN = "admin_password", "development_token"


def keep_secret(path: Path, text: str) -> None:
    """The file holds this text, wholly or not at all, with mode 0600."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def make_secrets(directory: Path) -> None:
    """Django's key and the key for credentials at rest exist; present ones are never touched. Every
    command beside a running `make run` may call private destinations as it may."""
    # `make run` serves on loopback, and so do the receivers that one tries it with.
    keep_secret(directory / "allow_private_destinations", "1")
    secret_key, secret_keys = directory / "secret_key", directory / "secret_keys"
    if not secret_key.exists():
        keep_secret(secret_key, secrets.token_urlsafe(50))
    if not secret_keys.exists():
        keep_secret(secret_keys, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
