"""Stop signals that reach a web process before it serves: they end it at once.

A process has three handlers in turn, and would lose a signal under the first two, to be killed only
when its server's patience ends:

1. the server's own, inherited by the fork: it sets a flag that nobody reads in the new process
   (`let_new_processes_stop`);
2. granian's, whose loop learns of signals only while it runs (`end_until_running`);
3. the same, on the running loop: the process answers what it has read, and ends.
"""

import asyncio
import os
import signal
import threading

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def let_new_processes_stop() -> None:
    """Let a stop signal end every process that this one forks, from its first moment."""

    def unblock() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def restore() -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        unblock()

    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS),
        after_in_parent=unblock,
        after_in_child=restore,
    )


def end_until_running(loop: asyncio.AbstractEventLoop) -> None:
    """Let a stop signal end this process until the loop runs; then the loop's handlers count."""
    if threading.current_thread() is not threading.main_thread():
        return  # No signal is handled here.
    handlers = {each: signal.getsignal(each) for each in STOP_SIGNALS}

    def restore() -> None:
        for each, handler in handlers.items():
            signal.signal(each, handler)

    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    loop.call_soon(restore)
