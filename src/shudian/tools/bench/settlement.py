"""A month of many meters settled slot by slot, against one reading of the same memory: np.sum of both tables in the same run.

Set-up: two tables of 64-bit integers in memory, a row per meter and a column per quarter hour of a month of 31 days, position and reached energy in
kWh, and a price per quarter hour. Each of the 149 million differences is priced and rounded to the fen on its own, and added up by meter.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from shudian.clearing.deviation import Deviations, Ints, in_blocks
from shudian.clearing.deviation_compiled import compiled
from shudian.kernel.units import SLOTS_PER_DAY

METERS_COUNT = 50_000
SLOTS_COUNT = 31 * SLOTS_PER_DAY
ENERGY_MAX_KWH = 100_000
PRICE_LOW_MYUAN_MWH, PRICE_HIGH_MYUAN_MWH = -50_000, 500_000
FILL_COUNT = 1_000


def run(runs: int = 5, meters_count: int = METERS_COUNT) -> dict[str, Any]:
    """Medians over ``runs``: seconds of the memory pass, of the numpy pass and of the compiled one (None without the extra), and ratios."""
    position_kwh, reached_kwh, price_myuan_mwh = _month(meters_count)
    found = Deviations(np.zeros(meters_count, dtype=np.int64), np.zeros(meters_count, dtype=np.int64))
    fast = compiled()
    run_fast = fast.run
    memory, columns, compiled_pass = [], [], []
    for _ in range(runs):
        memory.append(_seconds(lambda: (position_kwh.sum(), reached_kwh.sum())))
        columns.append(_seconds(lambda: in_blocks(position_kwh, reached_kwh, price_myuan_mwh, found)))
        if run_fast is not None:
            by_columns = found.amount_fen.copy()
            compiled_pass.append(_seconds(partial(run_fast, position_kwh, reached_kwh, price_myuan_mwh, *found)))
            if not np.array_equal(by_columns, found.amount_fen):
                message = "the compiled pass and the columns differ"
                raise RuntimeError(message)
    memory_s = statistics.median(memory)
    return {
        "set_up": f"{meters_count} meters x {SLOTS_COUNT} quarter hours, two tables of int64 in memory "
        f"({2 * position_kwh.nbytes / 1e9:.1f} GB), one thread",
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}",
        "runs": runs,
        "memory_pass_s": round(memory_s, 4),
        "settlement_s": round(statistics.median(columns), 4),
        "settlement_over_memory_pass": round(statistics.median(columns) / memory_s, 2),
        "settlement_over_memory_pass_fast": round(statistics.median(compiled_pass) / memory_s, 2)
        if compiled_pass
        else None,
        "fast": fast.why_not or "numba",
    }


def _month(meters_count: int) -> tuple[Ints, Ints, Ints]:
    """Position, reached energy and prices, filled some rows at a time."""
    random = np.random.default_rng(20260701)
    tables = [np.empty((meters_count, SLOTS_COUNT), dtype=np.int64) for _ in range(2)]
    for table in tables:
        for first in range(0, meters_count, FILL_COUNT):
            rows = table[first : first + FILL_COUNT]
            rows[:] = random.integers(0, ENERGY_MAX_KWH, rows.shape)
    return tables[0], tables[1], random.integers(PRICE_LOW_MYUAN_MWH, PRICE_HIGH_MYUAN_MWH, SLOTS_COUNT)


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
