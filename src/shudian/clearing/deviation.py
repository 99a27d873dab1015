"""Deviation from a position, priced slot by slot, for many accounts at once: the arithmetic of settling a day or a month, in columns.

An account is whoever is settled for itself: a member, a meter. Exact 64-bit integers with stated bounds; every amount is rounded on its own,
half away from zero, as :func:`shudian.kernel.units.energy_fen` rounds it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shudian.clearing.deviation_compiled import compiled
from shudian.kernel import check
from shudian.kernel.units import energy_fen, energy_fen_all, floor_div

Ints = NDArray[np.int64]
Rows = Sequence[Sequence[int]]

ENERGY_BITS = 31
"""An energy of a slot, in kWh, fits 32 bits with its sign: 2,147 GWh either way."""

PRICE_BITS = 30
"""A price, in milli-yuan per MWh, fits 31 bits with its sign: 1,073,741 yuan either way. A difference times a price stays below 2**62."""

SLOTS_MAX_COUNT = 1 << 13
"""Most slots of an account; a slot costs less than 2**49 fen, so their sum stays below 2**62."""

COMPILED_MIN_COUNT = 1 << 20
"""Slots of a table from which on the compiled pass, where it is installed, is worth its start."""

_BLOCK_COUNT = 24_000
"""Slots worked on at a time, so that what one step leaves behind is still in the cache for the next."""


_ENERGIES_FIT = "energies keep their bounds"


class Deviations(NamedTuple):
    """Sums over all slots of each account: energy beyond the position in kWh, and its price in fen."""

    energy_kwh: Ints
    amount_fen: Ints


def deviations(position_kwh: Ints, reached_kwh: Ints, price_myuan_mwh: Ints) -> Deviations:
    """Price (reached - position) of every account and slot, each amount rounded once, and add up the slots.

    position_kwh, reached_kwh: a row per account, a column per slot (hours of a day, quarter hours of a month). price_myuan_mwh: of each
    slot, the same for all accounts.

    Raises:
        CheckFailed: columns that do not fit together, or numbers beyond the stated bounds.

    >>> position_kwh, reached_kwh = np.array([[10, 12], [0, 0]]), np.array([[8, 15], [5, 5]])
    >>> deviations(position_kwh, reached_kwh, np.array([140_000, -35_000])).amount_fen.tolist()
    [-39, 52]
    """
    count, slot_count = position_kwh.shape
    check.that(reached_kwh.shape == (count, slot_count), "both tables have the same accounts and slots")
    check.that(price_myuan_mwh.shape == (slot_count,) and 0 < slot_count <= SLOTS_MAX_COUNT, "each slot has its price")
    check.that(
        position_kwh.dtype == reached_kwh.dtype == price_myuan_mwh.dtype == np.int64, "columns are 64-bit integers"
    )
    check.that(_fits(price_myuan_mwh, PRICE_BITS), "prices keep their bounds")
    found = Deviations(np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64))
    run = compiled().run if count * slot_count >= COMPILED_MIN_COUNT else None
    if run is None:
        in_blocks(position_kwh, reached_kwh, price_myuan_mwh, found)
    else:
        check.that(run(position_kwh, reached_kwh, price_myuan_mwh, *found), _ENERGIES_FIT)
    return found


def in_blocks(position_kwh: Ints, reached_kwh: Ints, price_myuan_mwh: Ints, found: Deviations) -> None:
    """The pass in numpy: fill ``found``, a few accounts at a time; columns and prices as :func:`deviations` has tested them."""
    count, slot_count = position_kwh.shape
    step = max(1, floor_div(_BLOCK_COUNT, slot_count))
    for first in range(0, count, step):
        block = slice(first, first + step)
        position, reached = position_kwh[block], reached_kwh[block]
        check.that(_fits(position, ENERGY_BITS) and _fits(reached, ENERGY_BITS), _ENERGIES_FIT)
        beyond = reached - position
        found.energy_kwh[block] = beyond.sum(axis=1)
        found.amount_fen[block] = energy_fen_all(beyond, price_myuan_mwh).sum(axis=1)


def _fits(numbers: Ints, bits: int) -> bool:
    return bool(numbers.min() >= -1 << bits and numbers.max() < 1 << bits)


def deviations_of_rows(position_kwh: Rows, reached_kwh: Rows, price_myuan_mwh: Sequence[int]) -> list[tuple[int, int]]:
    """(energy in kWh, amount in fen) of each account, as :func:`deviations`; numbers beyond its bounds are reckoned one by one.

    >>> deviations_of_rows([[10, 12], [0, 1 << 80]], [[8, 15], [5, 5 + (1 << 80)]], [140_000, -35_000])
    [(1, -39), (10, 52)]
    """
    fits = all(min(row) >= -1 << ENERGY_BITS and max(row) < 1 << ENERGY_BITS for row in (*position_kwh, *reached_kwh))
    if fits and position_kwh and max(map(abs, price_myuan_mwh)) < 1 << PRICE_BITS:
        columns = (np.array(numbers, dtype=np.int64) for numbers in (position_kwh, reached_kwh, price_myuan_mwh))
        found = deviations(*columns)
        return list(zip(found.energy_kwh.tolist(), found.amount_fen.tolist(), strict=True))
    results = []
    for position, reached in zip(position_kwh, reached_kwh, strict=True):
        beyond = list(map(int.__sub__, reached, position))
        results.append((sum(beyond), sum(map(energy_fen, beyond, price_myuan_mwh))))
    return results
