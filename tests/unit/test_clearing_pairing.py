"""Pairing of fills and the high-low match: the worked example of domain 4.5, self pairs, nothing lost."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.clearing.auction import Ints, clear
from shudian.clearing.high_low import match_high_low
from shudian.clearing.pairing import Pair, PairedCurve, merge_segments, pair_fills
from shudian.kernel.units import energy_fen
from tests.unit.test_clearing_auction import EXAMPLE, Row, markets


def arrays(rows: list[Row]) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], Ints, Ints, Ints]:
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    is_buy = np.array([side == "buy" for side in columns[0]], np.bool_)
    price, energy, times = (np.array(column, np.int64) for column in columns[1:])
    return is_buy, price, energy, times


def test_high_low_match_of_the_worked_example() -> None:
    trades = match_high_low(*arrays(EXAMPLE))
    assert [(trade.buy_no, trade.sell_no, trade.energy_kwh // 1_000, trade.price_myuan_mwh) for trade in trades] == [
        (6, 0, 2_000, 205_000),
        (6, 1, 200, 212_500),
        (7, 1, 1_300, 202_500),
        (7, 2, 300, 210_000),
        (8, 2, 1_400, 197_500),
        (9, 2, 100, 190_000),
        (9, 3, 1_200, 197_500),
    ]
    assert sum(trade.energy_kwh for trade in trades) == 6_500_000
    assert sum(energy_fen(trade.energy_kwh, trade.price_myuan_mwh) for trade in trades) == 131_125_000


@given(markets)
def test_high_low_match_stops_only_when_prices_cross(rows: list[Row]) -> None:
    left = [kwh for _, _, kwh, _ in rows]
    for trade in match_high_low(*arrays(rows)):
        buy, sell = rows[trade.buy_no], rows[trade.sell_no]
        assert (buy[0], sell[0]) == ("buy", "sell")
        assert sell[1] <= trade.price_myuan_mwh <= buy[1]
        left[trade.buy_no] -= trade.energy_kwh
        left[trade.sell_no] -= trade.energy_kwh
    assert min(left, default=0) >= 0
    open_buys = [row[1] for row, kwh in zip(rows, left, strict=True) if kwh and row[0] == "buy"]
    open_sells = [row[1] for row, kwh in zip(rows, left, strict=True) if kwh and row[0] == "sell"]
    if open_buys and open_sells:
        assert max(open_buys) < min(open_sells)


def test_pairs_of_the_worked_example_follow_rank() -> None:
    is_buy, price, energy, times = arrays(EXAMPLE)
    fills = clear(is_buy, price, energy, times, lot_kwh=1_000).fills_kwh
    pairs = pair_fills(is_buy, price, fills, times)
    assert [(pair.buy_no, pair.sell_no, pair.energy_kwh // 1_000) for pair in pairs] == [
        (6, 0, 2_000),
        (6, 1, 200),
        (7, 1, 1_300),
        (7, 2, 300),
        (8, 2, 1_400),
        (9, 2, 100),
        (9, 3, 655),
        (9, 4, 545),
    ]


def test_equal_prices_pair_by_time_then_input() -> None:
    times = np.array([3, 1, 3, 2, 1])
    pairs = pair_fills(
        np.array([True, True, True, False, False]), np.zeros(5, np.int64), np.array([1, 1, 1, 2, 1]), times
    )
    assert pairs == [Pair(1, 4, 1), Pair(0, 3, 1), Pair(2, 3, 1)]


# Buys and sells of one price as (member, kWh); expected self-paired kWh.
SELF_PAIRS: dict[str, tuple[list[tuple[int, int]], list[tuple[int, int]], int]] = {
    "stepped over": ([(1, 5), (2, 5)], [(1, 5), (3, 5)], 0),
    "the last pair of the walk": ([(2, 5), (1, 5)], [(3, 5), (1, 5)], 0),
    "in part": ([(1, 5), (2, 9)], [(1, 7), (3, 7)], 0),
    "two members mend each other": ([(1, 5), (2, 5)], [(1, 5), (2, 5)], 0),
    "over two partners": ([(1, 6), (2, 3), (3, 3)], [(1, 6), (4, 3), (5, 3)], 0),
    "a mended pair serves the next": ([(1, 4), (2, 4), (3, 8)], [(1, 4), (2, 4), (4, 8)], 0),
    "among themselves only": ([(1, 4), (2, 4), (3, 4)], [(1, 4), (2, 4), (3, 4)], 0),
    "one partner twice": ([(1, 3), (1, 3), (2, 6)], [(1, 3), (1, 3), (3, 6)], 0),
    "nobody else is there": ([(1, 5)], [(1, 5)], 5),
    "more than the others can take": ([(1, 8), (2, 2)], [(1, 8), (3, 2)], 6),
}


@pytest.mark.parametrize("case", SELF_PAIRS)
def test_self_pairs_remain_only_where_they_must(case: str) -> None:
    buys, sells, expected = SELF_PAIRS[case]
    members = [member for member, _ in buys + sells]
    fills = np.array([kwh for _, kwh in buys + sells], np.int64)
    is_buy = np.arange(len(members)) < len(buys)
    pairs = pair_fills(is_buy, np.zeros(len(members), np.int64), fills, None, members)
    assert sum(pair.energy_kwh for pair in pairs if members[pair.buy_no] == members[pair.sell_no]) == expected


@given(markets, st.lists(st.integers(1, 4), min_size=12, max_size=12))
def test_pairs_conserve_every_fill(rows: list[Row], members: list[int]) -> None:
    is_buy, price, energy, times = arrays(rows)
    result = clear(is_buy, price, energy, times)
    fills = result.fills_kwh.tolist()
    plain = pair_fills(is_buy, price, result.fills_kwh, times)
    assert len(plain) <= max(0, sum(1 for kwh in fills if kwh) - 1)
    for pairs in (plain, pair_fills(is_buy, price, result.fills_kwh, times, members)):
        paired: Counter[int] = Counter()
        for pair in pairs:
            assert is_buy[pair.buy_no]
            assert not is_buy[pair.sell_no]
            assert pair.energy_kwh > 0
            paired[pair.buy_no] += pair.energy_kwh
            paired[pair.sell_no] += pair.energy_kwh
        assert [paired[no] for no in range(len(rows))] == fills
    energy_of = Counter[int]()
    for member, kwh in zip(members, fills, strict=False):
        energy_of[member] += kwh
    for pair in pairs:
        if members[pair.buy_no] == members[pair.sell_no]:
            assert energy_of[members[pair.buy_no]] > result.volume_kwh


def test_fills_that_do_not_balance_are_refused() -> None:
    with pytest.raises(ValueError, match="bought is not what is sold"):
        pair_fills(np.array([True, False]), np.array([1, 1]), np.array([5, 4]))


def test_segments_merge_into_one_curve_per_buyer_and_seller() -> None:
    merged = merge_segments(
        {23: [Pair(0, 1, 7), Pair(2, 1, 1)], 0: [Pair(1, 0, 5), Pair(2, 0, 2)]},
        {23: [8, 9, 7], 0: [9, 8, 8]},
    )
    assert merged == [
        PairedCurve(7, 9, (*([0] * 23), 1)),
        PairedCurve(8, 9, (7, *([0] * 22), 7)),
    ]
