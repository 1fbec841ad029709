"""`python -m benchmarks.overload`: ten thousand connections at once, and what each was answered."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter

from benchmarks.hotpath import OURS
from benchmarks.stack import bench

CONNECTIONS, POSTS, PATIENCE = 10_000, 3, 60


async def client(number: int, authorization: str, answers: Counter[str]) -> None:
    """Posts a few hits on one connection, and counts what comes back."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", OURS)
    except OSError:
        answers["refused by the kernel"] += 1
        return
    try:
        for post in range(POSTS):
            body = json.dumps({"hitId": f"{number}-{post}", "userId": "u", "event": {}}).encode()
            writer.write(
                b"POST /track HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Authorization: %s\r\nContent-Length: %d\r\n\r\n%s"
                % (authorization.encode(), len(body), body)
            )
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            answers[head.split()[1].decode()] += 1
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            await reader.readexactly(int(length or 0))
    except (OSError, asyncio.IncompleteReadError):
        answers["closed without an answer"] += 1
    except TimeoutError:
        answers["no answer in time"] += 1
    finally:
        writer.close()


async def attack(authorization: str) -> Counter[str]:
    answers: Counter[str] = Counter()
    await asyncio.gather(*(client(n, authorization, answers) for n in range(CONNECTIONS)))
    return answers


def main() -> int:
    with bench() as servers:
        authorization = servers.issue("overload")
        servers.serve(OURS)
        started = time.monotonic()
        answers = asyncio.run(attack(authorization))
        seconds = time.monotonic() - started
        stored = servers.count("hitstream_hit")
    sys.stdout.write(
        f"{CONNECTIONS:,} connections, {POSTS} hits each, {seconds:.1f} s: {dict(answers)}; "
        f"{stored:,} rows\n"
    )
    return 0 if stored == answers["204"] else 1


if __name__ == "__main__":
    sys.exit(main())
