"""Curve decomposition 曲线分解 (domain 3.10): energy of a period into days, hours and quarter hours, exact to the kWh.

Pure functions; a rounding residue goes to the largest cell, so the cells always sum to what was decomposed.
"""

from collections.abc import Sequence

from shudian.kernel.units import (
    SLOTS_PER_SEGMENT,
    floor_div,
    remainder,
    round_half_away,
    split_largest_remainder,
    split_residue_to_largest,
)


def decompose(
    energy_kwh: int, day_weights: Sequence[int], segment_weights: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    """E(d,h) = E x w(d) x s(h): one row of segments per day; weights are non-negative integers in any common scale.

    The worked example of domain 3.10: 6 valley, 8 flat and 10 peak hours, s = 1/48, 1/24, 13/240 as weights 5, 10, 13.

    >>> typical = [5] * 6 + [10] * 8 + [13] * 10
    >>> rows = decompose(7_440_000, [1] * 31, typical)
    >>> rows[0][0], rows[0][6], rows[0][14], sum(map(sum, rows))
    (5000, 10000, 13000, 7440000)
    """
    cells = _split(energy_kwh, [day * segment for day in day_weights for segment in segment_weights])
    width = len(segment_weights)
    return tuple(tuple(cells[start : start + width]) for start in range(0, len(cells), width))


def _split(total_kwh: int, weights: Sequence[int]) -> list[int]:
    parts = split_residue_to_largest(total_kwh, weights)
    # A few kWh over many cells: rounding each up would leave the largest cell negative.
    return parts if min(parts) >= 0 else split_largest_remainder(total_kwh, weights)


def share_of_day_kwh(energy_kwh: int, day_count: int, day_no: int) -> int:
    """The share of the ``day_no``-th (from 0) of ``day_count`` equal days; together they give ``energy_kwh``.

    The closed form of :func:`decompose` with equal weights: the first day is the largest cell.

    >>> [share_of_day_kwh(100, 3, day_no) for day_no in range(3)]
    [34, 33, 33]
    >>> [share_of_day_kwh(3, 5, day_no) for day_no in range(5)]
    [1, 1, 1, 0, 0]
    """
    part = round_half_away(energy_kwh, day_count)
    first = energy_kwh - part * (day_count - 1)
    if first < 0:
        return floor_div(energy_kwh, day_count) + (day_no < remainder(energy_kwh, day_count))
    return part if day_no else first


def slots_kwh(segments_kwh: Sequence[int]) -> tuple[int, ...]:
    """96 quarter hours from 24 segments: a quarter each, the residue to the first of the four.

    >>> slots_kwh([10] + [0] * 23)[:4]
    (1, 3, 3, 3)
    """
    return tuple(kwh for segment in segments_kwh for kwh in _split(segment, [1] * SLOTS_PER_SEGMENT))
