"""Call auction: the worked example of domain 4.5, tables of margins and ties, and a brute-force oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.clearing.auction import Cleared, clear
from shudian.clearing.auction_rules import PRICE_LIMIT_MYUAN_MWH, SIDE_LIMIT_KWH, Margin, PriceRule, TieRule
from shudian.clearing.explain import explain

# side, price in milli-yuan/MWh, kWh, submitted
Row = tuple[str, int, int, int]

# domain 4.5: S1-S6 are 0-5, B1-B5 are 6-10
EXAMPLE: list[Row] = [
    ("sell", 150_000, 2_000_000, 0),
    ("sell", 165_000, 1_500_000, 0),
    ("sell", 180_000, 1_800_000, 0),
    ("sell", 195_000, 1_200_000, 1_001),
    ("sell", 195_000, 1_000_000, 1_003),
    ("sell", 230_000, 2_500_000, 0),
    ("buy", 260_000, 2_200_000, 0),
    ("buy", 240_000, 1_600_000, 0),
    ("buy", 215_000, 1_400_000, 0),
    ("buy", 200_000, 1_300_000, 0),
    ("buy", 175_000, 1_500_000, 0),
]


def cleared(
    rows: list[Row], *, lot_kwh: int = 1, rule: PriceRule = PriceRule.EQUILIBRIUM, k_ppm: int = 500_000
) -> Cleared:
    sides, prices, energies, times = zip(*rows, strict=True) if rows else ((), (), (), ())
    return clear(
        np.array([side == "buy" for side in sides], np.bool_),
        np.array(prices, np.int64),
        np.array(energies, np.int64),
        np.array(times, np.int64),
        lot_kwh=lot_kwh,
        rule=rule,
        k_ppm=k_ppm,
    )


@pytest.mark.parametrize(
    ("k_ppm", "price", "set_by"), [(500_000, 197_500, [3, 4, 9]), (0, 195_000, [3, 4]), (1_000_000, 200_000, [9])]
)
def test_pair_rule_of_the_worked_example(k_ppm: int, price: int, set_by: list[int]) -> None:
    result = cleared(EXAMPLE, lot_kwh=1_000, rule=PriceRule.PAIR, k_ppm=k_ppm)
    assert result.volume_kwh == 6_500_000
    assert result.price_myuan_mwh == price
    assert (result.low_myuan_mwh, result.high_myuan_mwh) == (195_000, 200_000)
    assert result.fills_kwh.tolist() == [
        *(2_000_000, 1_500_000, 1_800_000, 655_000, 545_000, 0),
        *(2_200_000, 1_600_000, 1_400_000, 1_300_000, 0),
    ]
    assert result.welfare_fen == 41_150_000
    assert result.price_set_by == set_by
    assert result.margin is Margin.LAST_PAIR


def test_equilibrium_of_the_worked_example_is_pinned_by_the_sells_that_were_cut() -> None:
    result = cleared(EXAMPLE, lot_kwh=1_000)
    assert (result.low_myuan_mwh, result.price_myuan_mwh, result.high_myuan_mwh) == (195_000, 195_000, 195_000)
    assert result.price_set_by == [3, 4]
    assert result.margin is Margin.PARTLY_FILLED_SELLS


CASES: dict[str, tuple[list[Row], int, tuple[int | None, int | None, int | None], list[int], Margin]] = {
    "empty": ([], 0, (None, None, None), [], Margin.NO_TRADE),
    "one side": ([("buy", 5, 1, 0)], 0, (None, None, None), [0], Margin.NO_TRADE),
    "prices apart": ([("buy", 4, 1, 0), ("sell", 5, 1, 0)], 0, (None, None, None), [0, 0], Margin.NO_TRADE),
    "prices meet": ([("buy", 5, 3, 0), ("sell", 5, 3, 0)], 3, (5, 5, 5), [3, 3], Margin.CONTENT_PRICES),
    "whole orders leave a range": (
        [("buy", 10, 3, 0), ("sell", 4, 3, 0)],
        3,
        (4, 7, 10),
        [3, 3],
        Margin.CONTENT_PRICES,
    ),
    "half a milli-yuan goes away from zero": (
        [("buy", -4, 3, 0), ("sell", -7, 3, 0)],
        3,
        (-7, -6, -4),
        [3, 3],
        Margin.CONTENT_PRICES,
    ),
    "rejected orders narrow the range": (
        [("buy", 10, 3, 0), ("sell", 4, 3, 0), ("buy", 6, 1, 0), ("sell", 9, 1, 0)],
        3,
        (6, 8, 9),
        [3, 3, 0, 0],
        Margin.CONTENT_PRICES,
    ),
    "a cut buy pins": (
        [("buy", 10, 5, 0), ("sell", 4, 3, 0)],
        3,
        (10, 10, 10),
        [3, 3],
        Margin.PARTLY_FILLED_BUYS,
    ),
    "a negative price": (
        [("buy", -10, 3, 0), ("sell", -50, 5, 0)],
        3,
        (-50, -50, -50),
        [3, 3],
        Margin.PARTLY_FILLED_SELLS,
    ),
    "a zero price": ([("buy", 0, 3, 0), ("sell", 0, 5, 0)], 3, (0, 0, 0), [3, 3], Margin.PARTLY_FILLED_SELLS),
    "volume is the largest though nobody gains by it": (
        [("buy", 9, 2, 0), ("sell", 3, 2, 0), ("buy", 5, 4, 0), ("sell", 5, 4, 0)],
        6,
        (5, 5, 5),
        [2, 2, 4, 4],
        Margin.CONTENT_PRICES,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_margins(case: str) -> None:
    rows, volume, prices, fills, margin = CASES[case]
    result = cleared(rows)
    assert result.volume_kwh == volume
    assert (result.low_myuan_mwh, result.price_myuan_mwh, result.high_myuan_mwh) == prices
    assert result.fills_kwh.tolist() == fills
    assert result.margin is margin


@pytest.mark.parametrize(
    ("case", "k_ppm", "set_by"),
    [
        ("whole orders leave a range", 500_000, [0, 1]),
        ("whole orders leave a range", 0, [1]),
        ("whole orders leave a range", 1_000_000, [0]),
        ("rejected orders narrow the range", 500_000, [2, 3]),
        ("a cut buy pins", 0, [0]),
        ("prices meet", 0, [1]),
    ],
)
def test_orders_that_set_the_price(case: str, k_ppm: int, set_by: list[int]) -> None:
    assert cleared(CASES[case][0], k_ppm=k_ppm).price_set_by == set_by


# Volume 10 in lots of 1 against the buys given as (offered, submitted).
TIES = {
    "pro rata exactly": ([(10, 0), (10, 0)], [5, 5]),
    "largest fraction first": ([(8, 0), (7, 0)], [5, 5]),  # 5.33, 4.67
    "equal fractions: the earlier": ([(7, 9), (7, 8), (7, 7)], [3, 3, 4]),
    "equal fractions and times: the first in the input": ([(7, 7), (7, 7), (7, 7)], [4, 3, 3]),
    "small orders may get nothing": ([(98, 0), (1, 0), (1, 0)], [10, 0, 0]),
}


@pytest.mark.parametrize("case", TIES)
def test_ties_at_the_margin(case: str) -> None:
    offers, expected = TIES[case]
    rows: list[Row] = [("buy", 200, kwh, time) for kwh, time in offers]
    result = cleared([*rows, ("sell", 100, 10, 0)])
    assert result.fills_kwh.tolist() == [*expected, 10]


def test_a_tie_is_shared_in_whole_lots() -> None:
    result = cleared([("buy", 200, 700, 2), ("buy", 200, 700, 1), ("sell", 100, 500, 0)], lot_kwh=100)
    assert result.fills_kwh.tolist() == [200, 300, 500]


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        ([("buy", 1, 0, 0)], {}, "quantity"),
        ([("buy", 1, -5, 0)], {}, "quantity"),
        ([("buy", PRICE_LIMIT_MYUAN_MWH + 1, 1, 0)], {}, "price"),
        ([("buy", -PRICE_LIMIT_MYUAN_MWH - 1, 1, 0)], {}, "price"),
        ([("sell", 1, SIDE_LIMIT_KWH, 0), ("sell", 2, 1, 0)], {}, "side"),
        ([("sell", 1, 1_500, 0)], {"lot_kwh": 1_000}, "lots"),
        ([], {"lot_kwh": 0}, "lot"),
        ([], {"k_ppm": 1_000_001}, "k between"),
    ],
)
def test_input_on_which_no_promise_holds_is_refused(rows: list[Row], options: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cleared(rows, **options)  # type: ignore[arg-type]  # only whole-number options are given here


def test_sums_at_the_limits_are_exact() -> None:
    result = cleared(
        [("buy", PRICE_LIMIT_MYUAN_MWH, SIDE_LIMIT_KWH, 0), ("sell", -PRICE_LIMIT_MYUAN_MWH, SIDE_LIMIT_KWH, 0)]
    )
    assert result.welfare_fen == 2 * PRICE_LIMIT_MYUAN_MWH * SIDE_LIMIT_KWH // 10_000
    assert result.price_myuan_mwh == 0


def test_explanations_carry_the_numbers() -> None:
    zh, en = explain(cleared(EXAMPLE, lot_kwh=1_000, rule=PriceRule.PAIR), 500_000)
    for words in (zh, en):
        assert "6500.000 MWh" in words
        assert "197.500" in words
        assert "195.000 + 0.5" in words
    assert "no buy" in explain(cleared([]), 500_000)[1]
    for rows, *_ in CASES.values():
        assert all("{" not in words for words in explain(cleared(rows), 500_000))


sides = st.sampled_from(["buy", "sell"])
markets = st.lists(st.tuples(sides, st.integers(-5, 5), st.integers(1, 6), st.integers(0, 3)), max_size=12)


def largest_volume(rows: list[Row]) -> int:
    """The most that can trade at any one price, tried one by one."""
    return max(
        min(
            sum(kwh for side, price, kwh, _ in rows if side == "buy" and price >= at),
            sum(kwh for side, price, kwh, _ in rows if side == "sell" and price <= at),
        )
        for at in range(-6, 7)
    )


def is_content(row: Row, filled: int, at: int) -> bool:
    side, price, kwh, _ = row
    gain = price - at if side == "buy" else at - price
    if filled == kwh:
        return gain >= 0
    return gain <= 0 if filled == 0 else gain == 0


@given(markets, st.integers(0, 1_000_000))
def test_equilibrium_against_brute_force(rows: list[Row], k_ppm: int) -> None:
    result = cleared(rows, k_ppm=k_ppm)
    fills = result.fills_kwh.tolist()
    assert result.volume_kwh == largest_volume(rows)
    for side in ("buy", "sell"):
        assert sum(kwh for row, kwh in zip(rows, fills, strict=True) if row[0] == side) == result.volume_kwh
    content = [at for at in range(-6, 7) if all(is_content(row, kwh, at) for row, kwh in zip(rows, fills, strict=True))]
    if result.price_myuan_mwh is None:
        assert not any(fills)
        return
    assert (result.low_myuan_mwh, result.high_myuan_mwh) == (content[0], content[-1])
    assert result.price_myuan_mwh in content
    assert result.price_set_by
    assert {rows[no][1] for no in result.price_set_by} <= {content[0], content[-1]}


@given(markets, st.integers(0, 1_000_000), st.sampled_from(PriceRule))
def test_nobody_trades_at_a_loss(rows: list[Row], k_ppm: int, rule: PriceRule) -> None:
    result = cleared(rows, k_ppm=k_ppm, rule=rule)
    for (side, price, kwh, _), filled in zip(rows, result.fills_kwh.tolist(), strict=True):
        assert 0 <= filled <= kwh
        if filled and result.price_myuan_mwh is not None:
            assert price >= result.price_myuan_mwh if side == "buy" else price <= result.price_myuan_mwh


@given(markets)
def test_better_prices_are_served_first(rows: list[Row]) -> None:
    fills = cleared(rows).fills_kwh.tolist()
    for (side, price, kwh, _), filled in zip(rows, fills, strict=True):
        for (other_side, other_price, _, _), other_filled in zip(rows, fills, strict=True):
            is_worse = other_price < price if side == "buy" else other_price > price
            if side == other_side and is_worse and other_filled:
                assert filled == kwh


@given(markets)
def test_mirrored_markets_mirror_their_prices(rows: list[Row]) -> None:
    mirrored: list[Row] = [("sell" if side == "buy" else "buy", -price, kwh, time) for side, price, kwh, time in rows]
    one, two = cleared(rows), cleared(mirrored)
    assert one.fills_kwh.tolist() == two.fills_kwh.tolist()
    assert one.welfare_fen == two.welfare_fen
    if one.price_myuan_mwh is not None and two.price_myuan_mwh is not None:
        assert one.price_myuan_mwh == -two.price_myuan_mwh


# Three sells at 10, offered 6 (late), 4, 8 kWh in lots of 2; one buy takes the energy.
@pytest.mark.parametrize(
    ("rule", "bought_kwh", "fills_kwh"),
    [
        (TieRule.PRO_RATA, 10, [4, 2, 4]),
        (TieRule.TIME, 10, [0, 4, 6]),
        (TieRule.TIME, 2, [0, 2, 0]),
        (TieRule.FEWEST_CONTRACTS, 10, [2, 0, 8]),
        (TieRule.FEWEST_CONTRACTS, 6, [0, 0, 6]),
        (TieRule.RENEWABLE_FIRST, 10, [6, 4, 0]),
        (TieRule.RENEWABLE_FIRST, 6, [4, 2, 0]),
        (TieRule.RENEWABLE_FIRST, 14, [6, 4, 4]),
        (TieRule.TIME, 18, [6, 4, 8]),
    ],
)
def test_tie_rules(rule: TieRule, bought_kwh: int, fills_kwh: list[int]) -> None:
    result = clear(
        np.array([False, False, False, True]),
        np.array([10, 10, 10, 11], np.int64),
        np.array([6, 4, 8, bought_kwh], np.int64),
        np.array([3, 1, 2, 0], np.int64),
        lot_kwh=2,
        tie_rule=rule,
        is_renewable=np.array([True, True, False, False]),
    )
    assert result.fills_kwh.tolist() == [*fills_kwh, bought_kwh]


@given(
    st.lists(st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 3), st.integers(1, 9)), max_size=12),
    st.sampled_from(TieRule),
)
def test_a_tie_rule_moves_fills_at_the_margin_and_nothing_else(
    offers: list[tuple[str, int, int]], rule: TieRule
) -> None:
    is_buy = np.array([side == "buy" for side, _, _ in offers], np.bool_)
    price = np.array([price for _, price, _ in offers], np.int64)
    energy = np.array([kwh for _, _, kwh in offers], np.int64)
    renewable = np.arange(len(offers), dtype=np.int64) % 2 == 0
    plain = clear(is_buy, price, energy)
    ruled = clear(is_buy, price, energy, tie_rule=rule, is_renewable=renewable)
    assert (ruled.price_myuan_mwh, ruled.volume_kwh) == (plain.price_myuan_mwh, plain.volume_kwh)
    assert ruled.welfare_fen == plain.welfare_fen
    assert all(0 <= filled <= offered for filled, offered in zip(ruled.fills_kwh, energy, strict=True))
    for side in (is_buy, ~is_buy):
        for level in (1, 2, 3):
            at = side & (price == level)
            assert ruled.fills_kwh[at].sum() == plain.fills_kwh[at].sum()
