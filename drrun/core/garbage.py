"""Pausing the garbage collector while something large is made that is there to stay.

Rules:
- The collector looks through everything again and again while it grows, up to half of the time.
  Nothing of a tree, a plan or a state is garbage, as none has cycles: the memory is the same.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Let nothing be collected inside."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
