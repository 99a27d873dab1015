"""Deviations in columns: equal to the formulas of one hour, within and beyond the bounds of 64 bits."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.clearing import deviation_compiled
from shudian.clearing.deviation import (
    ENERGY_BITS,
    PRICE_BITS,
    SLOTS_MAX_COUNT,
    Deviations,
    deviations,
    deviations_of_rows,
    in_blocks,
)
from shudian.clearing.deviation_compiled import compiled
from shudian.contracts.settlement.rules_formulas import f1_deviation_fen, f2_deviation_fen
from shudian.kernel import check

SLOTS = 5
ENERGY_MAX_KWH = (1 << ENERGY_BITS) - 1
PRICE_MAX_MYUAN_MWH = (1 << PRICE_BITS) - 1
small = st.integers(-40, 40)
energies = st.one_of(small, st.integers(-ENERGY_MAX_KWH, ENERGY_MAX_KWH))
prices = st.lists(
    st.one_of(small.map(lambda value: value * 1_250), st.integers(-PRICE_MAX_MYUAN_MWH, PRICE_MAX_MYUAN_MWH)),
    min_size=SLOTS,
    max_size=SLOTS,
)
Table = list[list[int]]


def tables(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Table]:
    return st.lists(st.lists(numbers, min_size=SLOTS, max_size=SLOTS), min_size=3, max_size=3)


@given(tables(energies), tables(energies), prices)
def test_columns_are_f2_hour_by_hour(contract: Table, metered: Table, price: list[int]) -> None:
    found = deviations(*(np.array(numbers, dtype=np.int64) for numbers in (contract, metered, price)))
    assert found.energy_kwh.tolist() == [sum(q) - sum(qc) for q, qc in zip(metered, contract, strict=True)]
    assert found.amount_fen.tolist() == [
        sum(map(f2_deviation_fen, qc, q, price)) for q, qc in zip(metered, contract, strict=True)
    ]


@given(tables(st.one_of(small, st.integers(-(2**70), 2**70))), tables(small), tables(energies), prices, prices)
def test_rows_are_both_legs_of_f1(
    contract: Table, award: Table, metered: Table, ahead: list[int], real: list[int]
) -> None:
    legs = [
        list(map(f1_deviation_fen, qc, qda, q, ahead, real))
        for qc, qda, q in zip(contract, award, metered, strict=True)
    ]
    assert [fen for _, fen in deviations_of_rows(contract, award, ahead)] == [
        sum(leg.day_ahead_fen for leg in row) for row in legs
    ]
    assert [fen for _, fen in deviations_of_rows(award, metered, real)] == [
        sum(leg.real_time_fen for leg in row) for row in legs
    ]


needs_compiler = pytest.mark.skipif(compiled().run is None, reason=compiled().why_not)


@needs_compiler
@given(tables(energies), tables(energies), prices)
def test_the_compiled_pass_equals_the_columns(contract: Table, metered: Table, price: list[int]) -> None:
    columns = [np.array(numbers, dtype=np.int64) for numbers in (contract, metered, price)]
    one, two = (Deviations(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)) for _ in range(2))
    in_blocks(columns[0], columns[1], columns[2], one)
    run = compiled().run
    assert run is not None
    assert run(columns[0], columns[1], columns[2], two.energy_kwh, two.amount_fen)
    assert [numbers.tolist() for numbers in one] == [numbers.tolist() for numbers in two]


def test_a_compiled_pass_that_reckons_wrong_declines() -> None:
    plain = deviation_compiled._deviations

    def rounds_down(position: Any, reached: Any, price: Any, energy_kwh: Any, amount_fen: Any) -> bool:
        with np.errstate(over="ignore"):
            fits = plain(position, reached, price, energy_kwh, amount_fen)
        amount_fen[0] = ((reached - position) * price // 10_000)[0, 0]
        return fits

    assert not deviation_compiled._is_right(rounds_down)


def test_a_big_table_is_priced_like_a_small_one() -> None:
    """Above a million slots the compiled pass takes over where it is installed."""
    position = np.arange(SLOTS_MAX_COUNT * 150, dtype=np.int64).reshape(150, SLOTS_MAX_COUNT)
    price = np.arange(SLOTS_MAX_COUNT, dtype=np.int64) * 97 - 300_000
    found, plain = deviations(position, position[::-1], price), Deviations(*np.zeros((2, 150), dtype=np.int64))
    in_blocks(position, position[::-1], price, plain)
    assert [numbers.tolist() for numbers in found] == [numbers.tolist() for numbers in plain]


def test_no_accounts_no_amounts() -> None:
    assert deviations_of_rows([], [], [1]) == []


def test_the_bounds_themselves_do_not_overflow() -> None:
    position = np.full((2, SLOTS_MAX_COUNT), -ENERGY_MAX_KWH, dtype=np.int64)
    price = np.full(SLOTS_MAX_COUNT, PRICE_MAX_MYUAN_MWH, dtype=np.int64)
    each_fen = f2_deviation_fen(-ENERGY_MAX_KWH, ENERGY_MAX_KWH, PRICE_MAX_MYUAN_MWH)
    assert deviations(position, -position, price).amount_fen.tolist() == [each_fen * SLOTS_MAX_COUNT] * 2


@pytest.mark.parametrize(
    ("position", "reached", "price"),
    [
        ([[0, ENERGY_MAX_KWH + 1]], [[0, 0]], [0, 0]),
        ([[0, 0]], [[0, -ENERGY_MAX_KWH - 2]], [0, 0]),
        ([[0, 0]], [[0, 0]], [0, PRICE_MAX_MYUAN_MWH + 1]),
        ([[0, 0]], [[0, 0]], [0]),
        ([[0, 0]], [[0]], [0, 0]),
        ([[]], [[]], []),
    ],
)
def test_what_columns_cannot_hold_is_a_fault(position: Table, reached: Table, price: list[int]) -> None:
    with pytest.raises(check.CheckFailed):
        deviations(*(np.array(numbers, dtype=np.int64) for numbers in (position, reached, price)))
