"""The fingerprint of the first migration, while it may still change (until 0.1.0 is released)."""

from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent
PREFIX = "Hitstream draft "


def fingerprint() -> str:
    """Return a digest of the first migration and its SQL, as the tables keep it in a comment."""
    files = [FOLDER / "0001_initial.py", *sorted((FOLDER / "sql").glob("0001_*.sql"))]
    return PREFIX + sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
