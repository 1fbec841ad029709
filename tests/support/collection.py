"""A pytest plugin: Python frees nothing while tests are collected, for nearly all of it stays.

Looking for garbage again and again takes a fifth of the time, in each process.
"""

import gc

gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
