"""Pure arithmetic on the 96 slots of a day: what is not plausible, how gaps are filled, how Wh become whole kWh.

Missing data (domain 4.1): at most two slots in a row are interpolated, longer gaps take the values of another day's profile.
"""

from collections.abc import Sequence

import numpy as np

from shudian.contracts.metering.messages import DAY_BYTES, MISSING_WH
from shudian.kernel.units import (
    SEGMENTS_PER_DAY,
    SLOTS_PER_DAY,
    SLOTS_PER_SEGMENT,
    WH_PER_KWH,
    floor_div,
    floor_div_all,
    round_half_away,
    share,
)

INTERPOLATED_MAX_COUNT = 2
WH_PER_KW_SLOT = 250
_LAYOUT = "<i4"


CARRY_MAX_WH = 1 << 40
"""Columns take carries below this; a day's 96 readings of 31 bits sum to less than 2**38 Wh, so 64-bit sums never overflow."""


class Columns:
    """The days that a message carries one behind the other, 96 readings of 32 bits each, as columns over all of its meters."""

    def __init__(self, values_wh: bytes) -> None:
        """Read the columns; nothing is copied."""
        self._bytes = values_wh
        self._days = np.frombuffer(values_wh, dtype=_LAYOUT).reshape(-1, SLOTS_PER_DAY)
        self._least_wh: list[int] = self._days.min(axis=1).tolist()
        self._most_wh: list[int] = self._days.max(axis=1).tolist()

    def is_whole(self, place: int, most_wh: int, carry_wh: int) -> bool:
        """Whether a day has neither gap nor suspect, and its sums fit the columns."""
        return (
            self._least_wh[place] >= 0 and self._most_wh[place] <= most_wh and -CARRY_MAX_WH < carry_wh < CARRY_MAX_WH
        )

    def reported(self, place: int) -> list[int]:
        """The 96 readings of a day."""
        values: list[int] = self._days[place].tolist()
        return values

    def packed(self, place: int) -> bytes:
        """The 96 readings of a day as they came."""
        return self._bytes[place * DAY_BYTES : (place + 1) * DAY_BYTES]

    def segments_kwh(self, carries_wh: Sequence[int]) -> tuple[list[list[int]], list[int], list[int]]:
        """Whole kWh of the 24 hours of each day, its Wh, its kWh; what :func:`segments_kwh` gives for a day, if the day is whole.

        A day that is not whole has numbers without meaning at its place. carries_wh: what each meter carries into the day.
        """
        carries = np.array(carries_wh, dtype=np.int64)
        hours_wh = self._days.reshape(-1, SEGMENTS_PER_DAY, SLOTS_PER_SEGMENT).sum(axis=2, dtype=np.int64)
        running_wh = hours_wh.cumsum(axis=1)
        # Readings of a whole day are not negative, so the running sum only rises and its greatest so far is itself.
        reached_kwh = np.maximum(floor_div_all(running_wh + carries[:, np.newaxis], WH_PER_KWH), 0)
        hours_kwh = np.diff(reached_kwh, axis=1, prepend=0)
        return hours_kwh.tolist(), running_wh[:, -1].tolist(), reached_kwh[:, -1].tolist()


def pack(values_wh: Sequence[int]) -> bytes:
    """96 readings as little-endian signed 32-bit integers."""
    return np.array(values_wh, dtype=_LAYOUT).tobytes()


def slots_of(values_wh: bytes) -> tuple[int, ...]:
    """The 96 readings of one packed day."""
    return tuple(np.frombuffer(values_wh, dtype=_LAYOUT).tolist())


def plausible_max_wh(capacity_kw: int, share_ppm: int) -> int:
    """The greatest plausible energy of a quarter hour: capacity x 250 Wh per kW x share, half away from zero.

    >>> plausible_max_wh(1_000, 1_200_000)
    300000
    """
    return share(capacity_kw * WH_PER_KW_SLOT, share_ppm)


def suspects(values_wh: Sequence[int], most_wh: int) -> tuple[int, ...]:
    """Slots whose reading is reported but not plausible: negative, or above ``most_wh``.

    >>> suspects([5, -1, -2, 11], 10)
    (2, 3)
    """
    if min(values_wh) >= MISSING_WH and max(values_wh) <= most_wh:
        return ()
    return tuple(slot for slot, value in enumerate(values_wh) if value < MISSING_WH or value > most_wh)


def gaps(values_wh: Sequence[int], suspect_slots: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of slots that are missing or suspect, as (first, behind the last).

    >>> gaps([-1, 5, -1, -1, 5, 99], [5])
    [(0, 1), (2, 4), (5, 6)]
    """
    if not suspect_slots and min(values_wh) >= 0:
        return []
    runs: list[tuple[int, int]] = []
    for slot, value in enumerate(values_wh):
        if value == MISSING_WH or slot in suspect_slots:
            first = runs.pop()[0] if runs and runs[-1][1] == slot else slot
            runs.append((first, slot + 1))
    return runs


def is_long(gap: tuple[int, int]) -> bool:
    """Whether a gap is too long to be interpolated."""
    return gap[1] - gap[0] > INTERPOLATED_MAX_COUNT


def fill(values_wh: Sequence[int], found: Sequence[tuple[int, int]], profile_wh: Sequence[int]) -> list[int]:
    """The readings with every gap filled.

    A short gap is a straight line between its two neighbours, each value rounded half away from zero; at an edge of the
    day the one neighbour is repeated. A long gap takes the values of ``profile_wh`` as they are.

    >>> fill([10, -1, -1, 19], [(1, 3)], ())
    [10, 13, 16, 19]
    """
    filled = list(values_wh)
    for first, end in found:
        if is_long((first, end)):
            filled[first:end] = profile_wh[first:end]
        else:
            left = filled[first - 1] if first else filled[end]
            right = filled[end] if end < len(filled) else left
            span = end - first + 1
            for step in range(1, span):
                filled[first + step - 1] = round_half_away(left * (span - step) + right * step, span)
    return filled


def segments_kwh(values_wh: Sequence[int], carry_wh: int) -> tuple[tuple[int, ...], int]:
    """Whole kWh of the 24 hours, and the Wh carried on.

    The running sum, starting at ``carry_wh``, is rounded down to whole kWh; an hour gets what the sum grew by. No hour
    is negative: a carry that a correction left below zero is first made up for. Sum of Wh + carry in = sum of kWh x
    1,000 + carry out.

    >>> hours, carry_wh = segments_kwh([300] * 96, 900)
    >>> hours[:4], sum(hours), carry_wh
    ((2, 1, 1, 1), 29, 700)
    """
    running_wh, given_kwh = carry_wh, 0
    hours = []
    for first in range(0, SLOTS_PER_DAY, SLOTS_PER_SEGMENT):
        running_wh += sum(values_wh[first : first + SLOTS_PER_SEGMENT])
        reached_kwh = max(given_kwh, floor_div(running_wh, WH_PER_KWH))
        hours.append(reached_kwh - given_kwh)
        given_kwh = reached_kwh
    return tuple(hours), running_wh - given_kwh * WH_PER_KWH
