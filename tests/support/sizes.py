"""How many examples a generating test tries: few in `make test`, all in `make test-fuzz`."""

import os

#: The share of the full number; `make test-fuzz` sets it to 1 or more.
SHARE = float(os.environ.get("HITSTREAM_TEST_SHARE", "0.4"))


def examples(full: int) -> int:
    """Return the number of examples to try of the full number."""
    return max(1, round(full * SHARE))
