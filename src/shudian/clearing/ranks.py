"""Price-time rank: the order in which the orders of each side come to trade."""

from shudian.clearing.auction import Flags, Ints


def ranks(is_buy: Flags, price_myuan_mwh: Ints, submitted_ms: Ints | None) -> tuple[list[int], list[int]]:
    """Indices of the buys and of the sells, each best price first, then earliest, then first in the input.

    >>> import numpy as np
    >>> ranks(np.array([True, False, True, False]), np.array([5, 3, 7, 3]), np.array([1, 9, 1, 8]))
    ([2, 0], [3, 1])
    """
    price = price_myuan_mwh.tolist()
    times = submitted_ms.tolist() if submitted_ms is not None else [0] * len(price)
    buy_nos = sorted(is_buy.nonzero()[0].tolist(), key=lambda no: (-price[no], times[no]))
    sell_nos = sorted((~is_buy).nonzero()[0].tolist(), key=lambda no: (price[no], times[no]))
    return buy_nos, sell_nos
