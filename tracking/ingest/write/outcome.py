"""What becomes of an arrival that is accepted."""

from enum import Enum


class Stored(Enum):
    """The outcome of an arrival that is answered with success."""

    NEW = "stored"
    DUPLICATE = "duplicate"
