"""What the evaluator and its process say to each other: JSON, each message after its length."""

from __future__ import annotations

from typing import Any

import msgspec

#: Characters of an expression, at most.
MAX_LENGTH = 500

LENGTH = "!I"
PLACE = "!I"
HELLO = b'"ready"'

#: What became of a document: the values of the paths, or why there are none. REFUSED is of the
#: expression at work, for all documents.
SET, UNMET, MISSING, FAILED, REFUSED = range(5)

#: Seconds of computing time after which an answer leaves the other documents out, so that
#: integrations take turns.
SLICE_SECONDS = 0.05
#: Bytes of the values of one document, and of an answer after which it ends.
RESULT_BYTES = 2_000_000
ANSWER_BYTES = 4_000_000
#: Bytes of the process's address space.
MEMORY_BYTES = 512 * 1024 * 1024


class Check(msgspec.Struct, tag="check", frozen=True):
    """Compile one expression. `limit` is in seconds of computing time. The answer is why
    it is refused: a message and its params, or an empty message."""

    limit: float
    is_condition: bool
    text: str


class Evaluate(msgspec.Struct, tag="evaluate", frozen=True):
    """Evaluate the condition and then the paths for each document; `limit` is for each of them.
    The answer is a list of results, `(SET, values)` or a reason with its text, of the first
    documents: of one at least."""

    limit: float
    condition: str
    paths: tuple[str, ...]
    documents: list[dict[str, Any]]
