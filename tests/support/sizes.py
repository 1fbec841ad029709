"""How many examples a generating test tries: few in `make test`, all in `make test-fuzz`; and how
large a test of a fault is: a part in `make test`, full in `make test-faults`."""

import os

#: The share of the full number; `make test-fuzz` sets it to 1 or more.
SHARE = float(os.environ.get("HITSTREAM_TEST_SHARE", "0.15"))


def examples(full: int) -> int:
    """Return the number of examples to try of the full number."""
    return max(1, round(full * SHARE))


#: `make test-faults` sets it.
FULL = os.environ.get("HITSTREAM_TEST_FAULTS") == "full"


def of_faults(full: int, part: int = 10) -> int:
    """Return the size of a test that is marked `faults`: in `make test` such a part of the full."""
    return full if FULL else max(1, full // part)
