"""Python's search for cyclic garbage, kept out of the way of blocks: over a large state it cost a quarter of an order's time.

Rows, events and envelopes refer to nothing that refers back, so they go when nobody holds them; what little there is of cycles (errors
with their stacks) is found between blocks. What a large block has left behind is set aside, or the search would look through it at once,
for a twentieth of an order's time; it is taken back when the read models follow, and then looked through with all the rest.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SET_ASIDE_MIN_COUNT = 256
"""Envelopes of a block that is worth setting aside; a program that makes small ones has time to search."""


@contextmanager
def no_collection(envelopes_count: int = 0) -> Iterator[None]:
    """No search for cyclic garbage within; afterwards it goes on, but past what lives by then if this was a large block: see :func:`take_back`."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if envelopes_count >= SET_ASIDE_MIN_COUNT:
            gc.freeze()
        if was_on:
            gc.enable()


def take_back() -> None:
    """Let the search look again at what was set aside."""
    gc.unfreeze()
