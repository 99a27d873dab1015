"""Python's search for cyclic garbage, kept out of the way of blocks: over a large state it cost a quarter of an order's time.

Rows, events and envelopes refer to nothing that refers back, so they go when nobody holds them; what little there is of cycles (errors
with their stacks) is found between blocks.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
