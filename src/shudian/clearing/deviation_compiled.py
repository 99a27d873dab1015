"""The compiled pass of :func:`shudian.clearing.deviation.deviations`, for tables of a million slots and more: the optional extra ``fast``.

It gives the same integers as the columns; where numba is missing or its code fails the self-test, it declines in words and the columns do the work.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from shudian.kernel import check
from shudian.kernel.outcomes import both
from shudian.kernel.units import PRICE_KWH_PER_FEN, ceil_div, energy_fen

Pass = Callable[[Any, Any, Any, Any, Any], bool]
"""(positions, reached, prices, energies out, amounts out) -> whether all energies fit 32 bits; the amounts mean nothing otherwise."""

# Division by 10,000 = 16 x 625 without a division: shift by 4, take the upper half of the product with ceil(2**73 / 625), shift by 9. Exact
# for numbers below 2**64. The offset, a multiple of 10,000, keeps them above zero; its quotient is taken off each sum again.
_ODD, _TWOS, _UPPER = 625, 4, 9
_RECIPROCAL = ceil_div(1 << (64 + _UPPER), _ODD)
_LOW = 0xFFFF_FFFF
_HALF_BITS = 32
_QUOTIENT_BITS = 49
_OFFSET = (PRICE_KWH_PER_FEN << _QUOTIENT_BITS) + 5_000
_LEAST = 1 << 31

_SAMPLES = (0, 1, -1, 2, 5_000, 9_999, 123_457, (1 << 31) - 1, -(1 << 31))
_SAMPLE_PRICES = (0, 1, -1, 1_250, 5_000, -35_000, 420_000, (1 << 30) - 1, -(1 << 30))


class Compiled(NamedTuple):
    """The pass, or None and why there is none."""

    run: Pass | None
    why_not: str = ""


@cache
def compiled() -> Compiled:
    """Compile and test the pass, once in the life of the process."""
    try:
        import numba  # noqa: PLC0415 - an extra; half a second that only big tables are worth
    except ImportError:
        return Compiled(None, both("未安装 numba（make setup FAST=1）", "numba is not installed (make setup FAST=1)"))
    run: Pass = numba.njit(_deviations)
    if not _is_right(run):
        return Compiled(None, both("编译结果未通过自检", "the compiled code failed its self-test"))
    return Compiled(run)


def _deviations(position_kwh: Any, reached_kwh: Any, price_myuan_mwh: Any, energy_kwh: Any, amount_fen: Any) -> bool:
    """What numba compiles: one loop, unsigned arithmetic modulo 2**64, no branch in it."""
    factor_low, factor_high = np.uint64(_RECIPROCAL & _LOW), np.uint64(_RECIPROCAL >> _HALF_BITS)
    low, half_bits = np.uint64(_LOW), np.uint64(_HALF_BITS)
    twos, upper, offset, least = np.uint64(_TWOS), np.uint64(_UPPER), np.uint64(_OFFSET), np.int64(_LEAST)
    slot_count = position_kwh.shape[1]
    beyond_bounds = np.uint64(0)
    for row in range(position_kwh.shape[0]):
        energy, quotients = np.int64(0), np.uint64(0)
        for slot in range(slot_count):
            position, reached = position_kwh[row, slot], reached_kwh[row, slot]
            beyond_bounds |= np.uint64(position + least) | np.uint64(reached + least)
            beyond = reached - position
            energy += beyond
            product = beyond * price_myuan_mwh[slot]
            number = (np.uint64(product + (product >> 63)) + offset) >> twos
            number_low, number_high = number & low, number >> half_bits
            middle = number_high * factor_low + ((number_low * factor_low) >> half_bits)
            other = number_low * factor_high + (middle & low)
            quotients += (number_high * factor_high + (middle >> half_bits) + (other >> half_bits)) >> upper
        energy_kwh[row] = energy
        amount_fen[row] = np.int64(quotients - (np.uint64(slot_count) << np.uint64(_QUOTIENT_BITS)))
    return bool(beyond_bounds >> half_bits == np.uint64(0))


def _is_right(run: Pass) -> bool:
    """Whether the pass prices every sample at every price as :func:`energy_fen` does, and sees a number beyond 32 bits."""
    check.that(_ODD << _TWOS == PRICE_KWH_PER_FEN, "the reciprocal is that of the denominator")
    prices = np.array(_SAMPLE_PRICES, dtype=np.int64)
    energy_kwh, amount_fen = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    for position in _SAMPLES:
        for reached in _SAMPLES:
            for slot, price in enumerate(_SAMPLE_PRICES):
                table = np.full((1, 1), position, dtype=np.int64), np.full((1, 1), reached, dtype=np.int64)
                fits = run(*table, prices[slot : slot + 1], energy_kwh, amount_fen)
                wanted = (reached - position, energy_fen(reached - position, price))
                if not fits or (int(energy_kwh[0]), int(amount_fen[0])) != wanted:
                    return False
    beyond = np.full((1, 1), _LEAST, dtype=np.int64)
    return not run(beyond, beyond, prices[:1], energy_kwh, amount_fen)
