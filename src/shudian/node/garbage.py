"""Python's search for cyclic garbage, kept out of the way of blocks: over a large state it cost a quarter of an order's time.

Rows, events and envelopes refer to nothing that refers back, so they go when nobody holds them; what little there is of cycles (errors
with their stacks) is found between blocks. What a loaded state and a large block leave behind is set aside, or the search would look
through all of it at once: 0.3 s for a million rows, between two blocks. It is taken back when the node closes; what lives in cycles at the
moment of setting aside stays until then.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SET_ASIDE_MIN_COUNT = 1_024
"""Changed rows of a block that is worth setting aside; a program that makes small ones has time to search."""


@contextmanager
def no_collection() -> Iterator[None]:
    """No search for cyclic garbage within; afterwards it goes on as before."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def set_aside() -> None:
    """Let the search pass by what lives now, until :func:`take_back`."""
    gc.freeze()


def take_back() -> None:
    """Let the search look again at what was set aside."""
    gc.unfreeze()
