"""High-low match 高低匹配: the highest remaining buy with the lowest remaining sell, each pair at its own middle price."""

from dataclasses import dataclass

from shudian.clearing.auction import Flags, Ints
from shudian.clearing.ranks import ranks
from shudian.kernel.units import round_half_away


@dataclass(frozen=True, slots=True)
class HighLowTrade:
    """One pair, its orders named by their index in the input."""

    buy_no: int
    sell_no: int
    energy_kwh: int
    price_myuan_mwh: int


def match_high_low(
    is_buy: Flags,
    price_myuan_mwh: Ints,
    quantity_kwh: Ints,
    submitted_ms: Ints | None = None,
) -> list[HighLowTrade]:
    """Match until the prices cross (domain 3.4); among equal prices the earliest comes first, then the first in the input.

    The price is the midpoint of the pair, rounded half away from zero to 1 milli-yuan/MWh. Quantities are positive kWh. A member's
    buy may meet its own sell.

    >>> import numpy as np
    >>> match_high_low(np.array([True, False]), np.array([260_000, 150_000]), np.array([2_200, 2_000]))
    [HighLowTrade(buy_no=0, sell_no=1, energy_kwh=2000, price_myuan_mwh=205000)]
    """
    price, left = price_myuan_mwh.tolist(), quantity_kwh.tolist()
    buy_nos, sell_nos = ranks(is_buy, price_myuan_mwh, submitted_ms)
    trades = []
    buy_rank = sell_rank = 0
    while buy_rank < len(buy_nos) and sell_rank < len(sell_nos):
        buy_no, sell_no = buy_nos[buy_rank], sell_nos[sell_rank]
        if price[buy_no] < price[sell_no]:
            break
        energy_kwh = min(left[buy_no], left[sell_no])
        trades.append(HighLowTrade(buy_no, sell_no, energy_kwh, round_half_away(price[buy_no] + price[sell_no], 2)))
        left[buy_no] -= energy_kwh
        left[sell_no] -= energy_kwh
        buy_rank += not left[buy_no]
        sell_rank += not left[sell_no]
    return trades
