"""F5, recovery of what deviating gained: example A3, both sides of the market, returns to the fen, the ledger in between."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shudian.contracts.agreements.messages import Line
from shudian.contracts.funds.messages import Code, ConfirmDeposit, OpenAccount
from shudian.contracts.metering.messages import BindMeter, Direction, SubmitReadings
from shudian.contracts.metering.rules_slots import pack
from shudian.contracts.roles import Kind
from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement.messages import (
    AcceptStatement,
    ClearDay,
    IssueStatements,
    PayStatement,
    PublishReferencePrices,
)
from shudian.contracts.settlement.messages_events import DayBilled, DayCleared
from shudian.contracts.settlement.messages_facts import BillLine, LineKind, LineState, RuleCode
from shudian.contracts.settlement.rules_formulas import RecoveryRates, f5_recovery_fen
from shudian.contracts.settlement.rules_market_day import MarketDay, _recover
from shudian.contracts.settlement.state import ReferencePrices
from shudian.kernel import clock
from shudian.kernel.crypto import sha256
from tests.unit.test_resources import LOAD, but, register
from tests.unit.test_settlement import (
    A3,
    BANK,
    EXCHANGE,
    FIRST,
    GRID,
    HYDRO,
    HYDRO_METER,
    JULY,
    LAST,
    PARTIES,
    RICH_FEN,
    SPARE,
    USER,
    USER_METER,
    Town,
    a3_column,
)
from tests.unit.test_settlement_corrections import set_rule

FACTOR = 1_100_000
RATES = RecoveryRates(FACTOR, 1_150_000, 850_000)


def town_with_f5(*kinds: str) -> Town:
    town = Town()
    for kind in kinds or ("user", "generator"):
        set_rule(town, "settlement.f5_factor_ppm", FACTOR, scope=kind)
    return town


def publish(town: Town, day: int, real_time: list[int], market: list[int]) -> None:
    town.say(EXCHANGE, PublishReferencePrices(day, tuple(real_time), tuple(real_time), tuple(market)))


def a3_cleared(town: Town) -> dict[int, DayBilled]:
    town.agree(tuple(Line(hour, row[0], row[1]) for hour, row in A3.items()), FIRST, FIRST)
    town.go_to(20260702)
    town.read(FIRST, a3_column(0), a3_column(4))
    publish(town, FIRST, a3_column(5), [220_000 if hour == 13 else 0 for hour in range(24)])
    town.say(EXCHANGE, ClearDay(FIRST))
    return {event.member_id: event for event in town.told(DayBilled)}


@pytest.mark.parametrize("kinds", [("user",), ("user", "generator")])
def test_worked_example_a3(kinds: tuple[str, ...]) -> None:
    town = town_with_f5(*kinds)
    bills = a3_cleared(town)
    # 336.60 yuan in hour 13; the user is the only one on its side, so all of it comes back. The cost of F2 stays 8,815.00.
    assert (bills[USER].recovery_fen, bills[USER].returned_fen) == (33_660, -33_660)
    assert (bills[HYDRO].recovery_fen, bills[GRID].recovery_fen) == (0, 0)
    assert bills[USER].contract_fen + bills[USER].deviation_fen == 881_500
    assert town.told(DayCleared)[0].recovered_fen == 33_660
    town.book.machine.check_all()


def test_it_is_off_by_default_and_does_not_touch_f4() -> None:
    assert a3_cleared(Town())[USER].recovery_fen == 0
    town = town_with_f5()
    town.rule(4)
    assert a3_cleared(town)[USER].recovery_fen == 0


# contract kWh, its fen, metered kWh, Prt, Pmarket, generates -> fen
CASES = [
    (12_000, 264_000, 15_000, -35_000, 220_000, False, 33_660),
    (12_000, 264_000, 13_800, -35_000, 220_000, False, 0),  # the edge of the band itself
    (10_000, 200_000, 8_000, 300_000, 0, False, 5_500),  # short 500 kWh at 100 above the contract price, x 1.1
    (10_000, 200_000, 8_500, 300_000, 0, False, 0),
    (10_000, 200_000, 8_000, 150_000, 0, False, 0),
    (0, 0, 1_000, 100_000, 200_000, False, 11_000),  # without a contract all use is above the band
    (10_000, 200_000, 12_000, 300_000, 200_000, True, 5_500),  # a plant gains by delivering more at a dear hour
    (10_000, 200_000, 12_000, 150_000, 200_000, True, 0),
    (10_000, 200_000, 8_000, 100_000, 0, True, 5_500),  # and by buying its contract back at a cheap one
    (0, 0, 0, 100_000, 200_000, True, 0),
]


@pytest.mark.parametrize(("qc", "fen", "q", "prt", "market", "generates", "expected"), CASES)
def test_the_formula_at_its_edges(
    qc: int, fen: int, q: int, prt: int, market: int, generates: bool, expected: int
) -> None:
    assert f5_recovery_fen(qc, fen, q, prt, market, RATES, generates=generates) == expected


def test_a_side_that_metered_nothing_is_charged_nothing() -> None:
    town = town_with_f5()
    town.agree((Line(3, 10_000, 200_000),), FIRST, FIRST)
    town.go_to(20260702)
    town.read(FIRST, (0,) * 24, (0,) * 24)
    publish(town, FIRST, [300_000] * 24, [0] * 24)
    town.say(EXCHANGE, ClearDay(FIRST))
    assert {event.recovery_fen for event in town.told(DayBilled)} == {0}
    town.book.machine.check_all()


def test_the_months_money_goes_through_the_ledger_and_back() -> None:
    town = town_with_f5("user")
    a3_cleared(town)
    town.go_to(20260801)
    for _, day in pairwise(clock.days(FIRST, LAST)):
        town.read(day, (0,) * 24, (0,) * 24)
        publish(town, day, [0] * 24, [0] * 24)
        town.say(EXCHANGE, ClearDay(day))
    ids = town.issue()
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    amounts = town.amounts(USER)
    assert (amounts["recovery"], amounts["recovery_return"]) == (33_660, -33_660)
    back = town.line(LineKind.RECOVERY_RETURN)
    # Before the charge is paid the ledger holds nothing to return.
    assert town.refused(GRID, PayStatement(ids[GRID])) == 10022
    town.say(USER, PayStatement(ids[USER]))
    assert town.free(GRID, Code.DEVIATION) == 33_660
    town.say(GRID, PayStatement(ids[GRID]))
    assert settlement.line(town.book.store, back).state is LineState.PAID
    assert town.free(GRID, Code.DEVIATION) == 0
    town.book.machine.check_all()


HOURS = st.lists(st.integers(0, 90_000), min_size=24, max_size=24)
PRICES = st.lists(st.integers(-50_000, 800_000), min_size=24, max_size=24)


@settings(max_examples=15)
@given(HOURS, HOURS, PRICES, PRICES)
def test_on_any_day_all_that_is_recovered_comes_back(
    generated: list[int], used: list[int], real_time: list[int], market: list[int]
) -> None:
    town = town_with_f5()
    town.agree(tuple(Line(hour, 30_000, 200_000) for hour in range(24)), FIRST, FIRST)
    town.go_to(20260702)
    town.read(FIRST, generated, used)
    publish(town, FIRST, real_time, market)
    town.say(EXCHANGE, ClearDay(FIRST))
    bills = town.told(DayBilled)
    assert sum(bill.recovery_fen + bill.returned_fen for bill in bills) == 0
    assert all(bill.recovery_fen >= 0 >= bill.returned_fen for bill in bills)
    town.book.machine.check_all()


SPARE_METER = 3


def two_users() -> tuple[Town, dict[int, int]]:
    """A second user with a tenth of the first one's deviation; both deviate, all accept."""
    town = town_with_f5("user")
    set_rule(town, "settlement.netting_code", 1)
    register(town.book, SPARE, but(LOAD, name_zh="另一用户", name_en="Another"))
    town.say(GRID, BindMeter("S", 3, Direction.LOAD, FIRST))
    town.say(SPARE, OpenAccount(BANK, sha256(b"account")))
    town.say(BANK, ConfirmDeposit(SPARE, RICH_FEN, sha256(b"deposit spare")))
    town.go_to(20260801)
    for day in clock.days(FIRST, LAST):
        used = [[0] * 96, [40_000 if day == FIRST else 0] * 96, [4_000 if day == FIRST else 0] * 96]
        values = b"".join(pack(column) for column in used)
        town.say(GRID, SubmitReadings(day, (HYDRO_METER, USER_METER, SPARE_METER), values))
        publish(town, day, [100_000] * 24, [200_000] * 24)
        town.say(EXCHANGE, ClearDay(day))
    members = (*PARTIES, SPARE)
    ids = dict(zip(members, town.say(EXCHANGE, IssueStatements(JULY, members))[0].statement_ids, strict=True))
    for member_id, statement_id in ids.items():
        town.say(member_id, AcceptStatement(statement_id))
    return town, ids


def returned(town: Town, member_id: int) -> BillLine:
    return settlement.line(town.book.store, town.line(LineKind.RECOVERY_RETURN, member_id))


def test_the_ledger_returns_no_more_than_it_holds_and_is_not_netted() -> None:
    town, ids = two_users()
    # 3,840 and 384 kWh without a contract: charged 100 yuan/MWh x 1.1, given back by energy, so each gets its own.
    assert (returned(town, USER).amount_fen, returned(town, SPARE).amount_fen) == (42_240, 4_224)
    town.say(SPARE, PayStatement(ids[SPARE]))
    assert town.free(GRID, Code.DEVIATION) == 4_224
    assert town.say(GRID, PayStatement(ids[GRID]))[0].amount_fen == 4_224
    assert returned(town, USER).state is LineState.OPEN
    town.say(USER, PayStatement(ids[USER]))
    # What the ledger could give back now is not set off against what the user owes in cash.
    assert returned(town, USER).state is LineState.OPEN
    assert town.say(GRID, PayStatement(ids[GRID]))[0].amount_fen == 42_240
    assert town.free(GRID, Code.DEVIATION) == 0
    town.book.machine.check_all()


def test_two_returns_share_what_the_ledger_holds() -> None:
    town, ids = two_users()
    town.say(USER, PayStatement(ids[USER]))
    # The ledger holds 422.40: enough for either return, not for both.
    payable = settlement.payable_lines(town.book.context(), town.statement(ids[GRID]))
    assert [row.kind for _, row in payable] == [LineKind.RECOVERY_RETURN]
    # With money enough in the ledger a return is still not set off against what the member owes in cash.
    town.say(BANK, ConfirmDeposit(GRID, 100_000, sha256(b"deposit ledger"), Code.DEVIATION))
    assert town.say(SPARE, PayStatement(ids[SPARE]))[0].netted_fen == 0
    assert {returned(town, member_id).state for member_id in (USER, SPARE)} == {LineState.OPEN}
    assert town.say(GRID, PayStatement(ids[GRID]))[0].line_count == 2
    town.book.machine.check_all()


def test_returns_follow_energy_not_charges() -> None:
    town = town_with_f5("user")
    market = MarketDay(FIRST, GRID)
    market.member(GRID)
    market.member(USER).metered_kwh[0] = 300
    market.member(SPARE).metered_kwh[0] = 100
    market.member(SPARE).contract_kwh[0] = 100
    prices = ReferencePrices((0,) * 24, (0,) * 24, (1_000_000,) * 24, 1)
    rules = dict.fromkeys((Kind.GENERATOR, Kind.RETAILER, Kind.USER), RuleCode.SINGLE_SETTLEMENT)
    _recover(town.book.context(), market, rules, prices)
    # 300 kWh above the band at 1,000 yuan/MWh x 1.1; a quarter goes to the user that did not deviate.
    users = [market.members[member_id] for member_id in (USER, SPARE)]
    assert [(own.recovery_fen, own.returned_fen) for own in users] == [(33_000, -24_750), (0, -8_250)]
