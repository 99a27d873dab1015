"""The formulas beyond their worked examples: identities, bands, and that money and energy are never lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shudian.contracts.agreements.messages import Line
from shudian.contracts.settlement.messages import ClearDay
from shudian.contracts.settlement.messages_events import DayBilled
from shudian.contracts.settlement.messages_facts import Formula
from shudian.contracts.settlement.rules_formulas import (
    amount_fen,
    explain,
    f1_deviation_fen,
    f2_deviation_fen,
    f4_band,
    f4_contract_fen,
    f4_short_fen,
)
from shudian.kernel.units import energy_fen
from tests.unit.test_settlement import EXCHANGE, FIRST, GRID, HYDRO, USER, Town

KWH = st.integers(-1_000_000, 1_000_000)
PRICES = st.integers(-50_000, 800_000)
HOURS_KWH = st.lists(st.integers(0, 90_000), min_size=24, max_size=24)


@given(KWH, KWH, KWH, PRICES, PRICES, PRICES)
def test_f1_is_its_own_identity(contract: int, award: int, metered: int, pc: int, pda: int, prt: int) -> None:
    # Quantities of whole 10 MWh, so that nothing is rounded: Q Prt + Qda (Pda - Prt) + Qc (Pc - Pda).
    qc, qda, q = 10_000 * contract, 10_000 * award, 10_000 * metered
    cost = energy_fen(qc, pc) + sum(f1_deviation_fen(qc, qda, q, pda, prt))
    assert cost == metered * prt + award * (pda - prt) + contract * (pc - pda)


@given(KWH, KWH, PRICES)
def test_f2_of_one_side_is_the_mirror_of_the_other(contract: int, metered: int, price: int) -> None:
    assert f2_deviation_fen(-contract, -metered, price) == -f2_deviation_fen(contract, metered, price)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_f4_band_loses_no_energy(contract: int, metered: int) -> None:
    band = f4_band(contract, metered, 80_000, 40_000)
    assert band.at_contract_kwh + band.over_kwh == metered
    assert min(band) >= 0
    assert not (band.over_kwh and band.short_kwh)


@pytest.mark.parametrize(
    ("contract", "metered", "expected"),
    [
        (1_000, 960, (960, 0, 0)),
        (1_000, 959, (959, 0, 1)),
        (1_000, 1_080, (1_080, 0, 0)),
        (1_000, 1_081, (1_080, 1, 0)),
        (1_000, 0, (0, 0, 960)),
        (0, 7, (0, 7, 0)),
        (0, 0, (0, 0, 0)),
    ],
)
def test_f4_band_at_its_edges(contract: int, metered: int, expected: tuple[int, int, int]) -> None:
    assert f4_band(contract, metered, 80_000, 40_000) == expected


def test_f4_corner_cases() -> None:
    assert f4_contract_fen(0, 0, 0) == 0
    # A contract price of -100 yuan/MWh and T&D of 64.4: the assessment would pay for using less.
    assert f4_short_fen(300_000, 100_000, 10_000_000, -100_000_000, 6_440_000) == 0


@pytest.mark.parametrize("formula", list(Formula))
def test_every_formula_names_its_inputs(formula: Formula) -> None:
    names = explain(formula, ()).names
    values = [1] * len(names)
    assert isinstance(amount_fen(explain(formula, values)), int)


@settings(max_examples=15)
@given(
    HOURS_KWH,
    HOURS_KWH,
    st.lists(PRICES, min_size=24, max_size=24),
    st.lists(st.integers(1, 10**6), min_size=24, max_size=24),
)
def test_any_day_sums_to_zero(generated: list[int], used: list[int], prices: list[int], sold: list[int]) -> None:
    town = Town()
    town.agree(tuple(Line(hour, sold[hour], prices[-hour]) for hour in range(24)), FIRST, 20260703)
    town.go_to(20260702)
    town.read(FIRST, generated, used)
    town.publish(FIRST, prices)
    town.say(EXCHANGE, ClearDay(FIRST))
    bills = {event.member_id: event for event in town.told(DayBilled)}
    assert set(bills) == {GRID, HYDRO, USER}
    assert sum(bill.contract_fen for bill in bills.values()) == 0
    assert sum(bill.deviation_fen for bill in bills.values()) == 0
    user = bills[USER]
    assert user.metered_kwh == sum(used)
    deviations = (energy_fen(used[h] - user.contract_segments_kwh[h], prices[h]) for h in range(24))
    assert user.deviation_fen == sum(deviations)
    town.book.machine.check_all()
