"""How a process that runs a ledger collects garbage."""

import gc

_NEW_COUNT, _YOUNG_TIMES, _OLD_TIMES = 50_000, 20, 50


def collect_seldom() -> None:
    """Look for circles of objects seldom: for the whole process, called once by whoever starts it.

    A block makes hundreds of thousands of small tuples that live until it is durable, hardly ever in a circle; with Python's own thresholds an
    eighth of the time of a block of meter readings went into looking for one. What is in no circle is freed at once as ever.
    """
    gc.set_threshold(_NEW_COUNT, _YOUNG_TIMES, _OLD_TIMES)
