"""Uniform-price call auction 集中竞价（边际统一出清）of one segment, on integers: arrays in, arrays out.

Volume: the largest at which the last matched buy price is not below the last matched sell price (domain 3.4). Orders priced
better than the margin are filled; those at the margin share what is left by a tie rule, pro rata unless set otherwise. Units: prices in
milli-yuan per MWh (zero and negative ones are prices like any other), energy in kWh, money in fen.
"""

from bisect import bisect_left
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from shudian.clearing.auction_rules import PRICE_LIMIT_MYUAN_MWH, SIDE_LIMIT_KWH, Margin, PriceRule, TieRule
from shudian.kernel.units import PPM, PRICE_KWH_PER_FEN, remainder, round_half_away, split_largest_remainder

Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

_INDEX_BITS = 32
_INDEX_MASK = (1 << _INDEX_BITS) - 1


@dataclass(frozen=True, slots=True)
class Cleared:
    """Result of one segment.

    The price is ``low + k x (high - low)``, rounded half away from zero to 1 milli-yuan; all three prices are None when nothing trades.
    welfare_fen: value of the filled buys less that of the filled sells, each at its own price, rounded once, half away from zero.
    fills_kwh: in the order of the input. price_set_by: indices of the orders whose price is a bound that the price was taken from.
    """

    price_myuan_mwh: int | None
    low_myuan_mwh: int | None
    high_myuan_mwh: int | None
    volume_kwh: int
    welfare_fen: int
    fills_kwh: Ints
    price_set_by: list[int]
    margin: Margin


class _Side:
    """One side of the market, best price first, then input order.

    Price and index are sorted as one integer: twice as fast as sorting indices by price, and the same on every machine.
    """

    def __init__(self, index: Ints, price: Ints, quantity: Ints, *, best_is_high: bool) -> None:
        rank_key = -price[index] if best_is_high else price[index]
        packed = (rank_key << _INDEX_BITS) | index
        packed.sort()
        self.index = packed & _INDEX_MASK
        self.rank_key = packed >> _INDEX_BITS
        self.price = -self.rank_key if best_is_high else self.rank_key
        self.quantity_kwh = quantity[self.index]
        self.cumulative_kwh = self.quantity_kwh.cumsum()

    def energy_before(self, rank: int) -> int:
        return int(self.cumulative_kwh[rank - 1]) if rank else 0

    def energy_at_or_better(self, rank_key: int) -> int:
        return self.energy_before(int(self.rank_key.searchsorted(rank_key, "right")))

    def value_of(self, cut: "_Cut") -> int:
        """Value of what is filled, each order at its own price, in milli-yuan/MWh x kWh."""
        better = int(self.price[: cut.start] @ self.quantity_kwh[: cut.start])
        return better + cut.price_myuan_mwh * cut.share_kwh


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where the volume ends on one side: ranks ``start`` to ``end`` are the orders of the last matched price."""

    price_myuan_mwh: int
    start: int
    end: int
    share_kwh: int
    is_partial: bool
    next_price_myuan_mwh: int | None  # best price with energy left over


def clear(
    is_buy: Flags,
    price_myuan_mwh: Ints,
    quantity_kwh: Ints,
    submitted_ms: Ints | None = None,
    *,
    lot_kwh: int = 1,
    rule: PriceRule = PriceRule.EQUILIBRIUM,
    k_ppm: int = 500_000,
    tie_rule: TieRule = TieRule.PRO_RATA,
    is_renewable: Flags | None = None,
) -> Cleared:
    """Clear one segment at one price and the largest possible volume.

    At the margin the share of each order is floored to lots; the lots left over go to the largest fractions, then to the earliest
    ``submitted_ms`` (any integer that rises with time), then to the first in the input. Other tie rules fill in their order, the time
    and the input deciding between equals; ``is_renewable`` is needed by RENEWABLE_FIRST alone. Under ``PAIR`` an order that was cut or
    rejected at the margin may envy the price; under ``EQUILIBRIUM`` none does.

    Raises:
        ValueError: unequal lengths, a quantity that is not a positive number of lots, a price beyond ``PRICE_LIMIT_MYUAN_MWH``, a
            side above ``SIDE_LIMIT_KWH``, a lot or k out of range.

    Example: the auction of domain 4.5 has its margin between S4, S5 at 195 and B4 at 200 yuan/MWh.

    >>> price = np.array([150, 165, 180, 195, 195, 230, 260, 240, 215, 200, 175]) * 1_000
    >>> energy = np.array([2_000, 1_500, 1_800, 1_200, 1_000, 2_500, 2_200, 1_600, 1_400, 1_300, 1_500]) * 1_000
    >>> done = clear(np.arange(11) >= 6, price, energy, lot_kwh=1_000, rule=PriceRule.PAIR)
    >>> done.volume_kwh, done.price_myuan_mwh, done.fills_kwh[3:5].tolist(), done.price_set_by
    (6500000, 197500, [655000, 545000], [3, 4, 9])
    """
    _check(is_buy, price_myuan_mwh, quantity_kwh, lot_kwh, k_ppm)
    buys = _Side(np.flatnonzero(is_buy), price_myuan_mwh, quantity_kwh, best_is_high=True)
    sells = _Side(np.flatnonzero(~is_buy), price_myuan_mwh, quantity_kwh, best_is_high=False)
    if max(buys.energy_before(len(buys.index)), sells.energy_before(len(sells.index))) > SIDE_LIMIT_KWH:
        message = f"a side offers more than {SIDE_LIMIT_KWH} kWh"
        raise ValueError(message)
    fills = np.zeros(len(quantity_kwh), np.int64)
    volume = _largest_volume(buys, sells)
    if volume == 0:
        return Cleared(None, None, None, 0, 0, fills, [], Margin.NO_TRADE)
    buy_cut, sell_cut = _cut(buys, volume), _cut(sells, volume)
    for side, cut in ((buys, buy_cut), (sells, sell_cut)):
        _fill_better(fills, side, cut)
        if cut.is_partial:
            sharers = side.index[cut.start : cut.end]
            if submitted_ms is not None:
                sharers = sharers[np.argsort(submitted_ms[sharers], kind="stable")]
            offered = quantity_kwh[sharers]
            renewable = np.zeros(len(sharers), np.bool_) if is_renewable is None else is_renewable[sharers]
            fills[sharers] = _share_margin(cut.share_kwh, offered, renewable, lot_kwh, tie_rule)
    low, high = _bounds(buy_cut, sell_cut, rule)
    price = round_half_away(PPM * low + k_ppm * (high - low), PPM)
    surplus = buys.value_of(buy_cut) - sells.value_of(sell_cut)
    return Cleared(
        price,
        low,
        high,
        volume,
        round_half_away(surplus, PRICE_KWH_PER_FEN),
        fills,
        _set_by(is_buy, price_myuan_mwh, quantity_kwh, fills, (low, high), rule, k_ppm),
        _margin(buy_cut, sell_cut, rule),
    )


def _check(is_buy: Flags, price: Ints, quantity: Ints, lot_kwh: int, k_ppm: int) -> None:
    """Refuse input on which the promises of :func:`clear` would not hold."""
    wrong = ""
    if not len(is_buy) == len(price) == len(quantity):
        wrong = "flags, prices and quantities differ in length"
    elif lot_kwh < 1 or not 0 <= k_ppm <= PPM:
        wrong = "the lot must be at least 1 kWh and k between 0 and 1,000,000 ppm"
    elif len(price) and (int(price.min()) < -PRICE_LIMIT_MYUAN_MWH or int(price.max()) > PRICE_LIMIT_MYUAN_MWH):
        wrong = f"a price is beyond {PRICE_LIMIT_MYUAN_MWH} milli-yuan/MWh"
    elif len(price) and (int(quantity.min()) < 1 or int(quantity.max()) > SIDE_LIMIT_KWH):
        wrong = f"a quantity is not between 1 and {SIDE_LIMIT_KWH} kWh"
    elif lot_kwh > 1 and remainder(int(np.gcd.reduce(quantity)), lot_kwh):
        wrong = f"a quantity is not a whole number of lots of {lot_kwh} kWh"
    if wrong:
        raise ValueError(wrong)


def _largest_volume(buys: _Side, sells: _Side) -> int:
    """Largest volume whose last buy price is not below its last sell price.

    The buy of a rank can trade if more is offered at its price or lower than the better buys take. As ranks worsen the offer
    shrinks and the better buys take more, so the ranks that can trade come first.
    """

    def cannot_trade(rank: int) -> bool:
        return sells.energy_at_or_better(int(buys.price[rank])) <= buys.energy_before(rank)

    traded_count = bisect_left(range(len(buys.index)), True, key=cannot_trade)
    if traded_count == 0:
        return 0
    return min(buys.energy_before(traded_count), sells.energy_at_or_better(int(buys.price[traded_count - 1])))


def _cut(side: _Side, volume_kwh: int) -> _Cut:
    last = int(side.cumulative_kwh.searchsorted(volume_kwh))
    start = int(side.rank_key.searchsorted(side.rank_key[last]))
    end = int(side.rank_key.searchsorted(side.rank_key[last], "right"))
    is_partial = side.energy_before(end) > volume_kwh
    next_rank = last if is_partial else end
    return _Cut(
        int(side.price[last]),
        start,
        end,
        volume_kwh - side.energy_before(start),
        is_partial,
        int(side.price[next_rank]) if next_rank < len(side.index) else None,
    )


def _fill_better(fills: Ints, side: _Side, cut: _Cut) -> None:
    """Write the whole fills of one side: better prices, and the last one where nothing of it is left over."""
    whole_count = cut.start if cut.is_partial else cut.end
    fills[side.index[:whole_count]] = side.quantity_kwh[:whole_count]


def _share_margin(share_kwh: int, offered_kwh: Ints, renewable: Flags, lot_kwh: int, rule: TieRule) -> Ints:
    """What each order at the margin gets; the orders stand in the order of their times."""
    if rule is TieRule.PRO_RATA:
        return np.array(split_largest_remainder(share_kwh, offered_kwh.tolist(), lot_kwh), np.int64)
    if rule is TieRule.RENEWABLE_FIRST:
        got = np.zeros(len(offered_kwh), np.int64)
        for group in (renewable, ~renewable):
            group_kwh = min(share_kwh, int(offered_kwh[group].sum()))
            if group_kwh:
                got[group] = split_largest_remainder(group_kwh, offered_kwh[group].tolist(), lot_kwh)
                share_kwh -= group_kwh
        return got
    turn = np.arange(len(offered_kwh), dtype=np.int64)
    if rule is TieRule.FEWEST_CONTRACTS:
        turn = np.argsort(-offered_kwh, kind="stable")
    before_kwh = offered_kwh[turn].cumsum() - offered_kwh[turn]
    filled = np.zeros(len(offered_kwh), np.int64)
    filled[turn] = np.minimum(offered_kwh[turn], np.maximum(share_kwh - before_kwh, 0))
    return filled


def _bounds(buy_cut: _Cut, sell_cut: _Cut, rule: PriceRule) -> tuple[int, int]:
    """Lowest and highest price of the rule, in milli-yuan/MWh."""
    low, high = sell_cut.price_myuan_mwh, buy_cut.price_myuan_mwh
    if rule is PriceRule.EQUILIBRIUM:
        if buy_cut.next_price_myuan_mwh is not None:
            low = max(low, buy_cut.next_price_myuan_mwh)
        if sell_cut.next_price_myuan_mwh is not None:
            high = min(high, sell_cut.next_price_myuan_mwh)
    return low, high


def _set_by(
    is_buy: Flags,
    price: Ints,
    quantity: Ints,
    fills: Ints,
    bounds: tuple[int, int],
    rule: PriceRule,
    k_ppm: int,
) -> list[int]:
    """Orders that stand at a bound and hold it: filled ones, and under EQUILIBRIUM those with energy left over."""
    low, high = bounds
    candidates = np.flatnonzero((price == low) | (price == high))
    buy, at = is_buy[candidates], price[candidates]
    filled, left_over = fills[candidates] > 0, fills[candidates] < quantity[candidates]
    if rule is PriceRule.PAIR:
        left_over[:] = False
    holds_low = (at == low) & np.where(buy, left_over, filled)
    holds_high = (at == high) & np.where(buy, filled, left_over)
    if k_ppm == 0:
        holds_high[:] = False
    elif k_ppm == PPM:
        holds_low[:] = False
    chosen: list[int] = candidates[holds_low | holds_high].tolist()
    return chosen


def _margin(buy_cut: _Cut, sell_cut: _Cut, rule: PriceRule) -> Margin:
    if rule is PriceRule.PAIR:
        return Margin.LAST_PAIR
    if buy_cut.is_partial:
        return Margin.PARTLY_FILLED_BUYS
    return Margin.PARTLY_FILLED_SELLS if sell_cut.is_partial else Margin.CONTENT_PRICES
