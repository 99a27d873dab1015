"""Settlement through the ledger: the worked examples A1 to A3, daily clearing, statements, objections, payment."""

from collections.abc import Sequence
from typing import Any

import pytest

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Line, Method, State, Terms
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Code, ConfirmDeposit, OpenAccount
from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.guarantees import rules as guarantees
from shudian.contracts.metering import rules as metering
from shudian.contracts.metering.messages import BindMeter, Direction, SubmitReadings
from shudian.contracts.metering.rules_slots import pack
from shudian.contracts.resources import rules as resources
from shudian.contracts.roles import Kind
from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement.messages import (
    AcceptStatement,
    AnswerObjection,
    ClearDay,
    IssueStatements,
    ObjectToLine,
    PayStatement,
    PublishDayAhead,
    PublishReferencePrices,
    PublishRegulationPrices,
)
from shudian.contracts.settlement.messages_events import (
    DayBilled,
    DayCleared,
    StatementAccepted,
    StatementIssued,
    StatementOverdue,
    StatementPostponed,
)
from shudian.contracts.settlement.messages_facts import BillLine, LineKind, LineState, StatementState
from shudian.contracts.settlement.rules_formulas import amount_fen
from shudian.contracts.trading import rules as trading
from shudian.kernel import clock
from shudian.kernel.crypto import sha256
from shudian.kernel.messages import Message
from tests.support.ledger import Ledger
from tests.unit.test_resources import LOAD, PLANT, but, market, register

EXCHANGE, GRID, HYDRO, USER, BANK, SPARE = 1, 2, 3, 4, 5, 6
KINDS = (Kind.EXCHANGE, Kind.GRID_COMPANY, Kind.GENERATOR, Kind.USER, Kind.BANK, Kind.USER)
HYDRO_METER, USER_METER = 1, 2
USER_LOAD = 2
JULY = 202607
FIRST, LAST = 20260701, 20260731
PRICE = 210_000
CONTRACT_KWH = 10_000_000
PARTIES = (GRID, HYDRO, USER)
RICH_FEN = 100_000_000_000
EVIDENCE = sha256(b"meter photo")


def flat_lines(total_kwh: int, price_myuan_mwh: int = PRICE) -> tuple[Line, ...]:
    """A flat curve; what 24 does not divide goes to the first segment."""
    each = total_kwh // 24
    return tuple(Line(hour, each + (total_kwh - 24 * each) * (hour == 0), price_myuan_mwh) for hour in range(24))


class Town:
    """Hydro plant (meter 1) and user of 110 kV, two-part, 15,000 kW (resource 2, meter 2), with money at the bank."""

    def __init__(self, *, user_fen: int = RICH_FEN) -> None:
        contracts = (funds, guarantees, resources, metering, agreements, trading, settlement)
        self.book: Ledger = market(*(module.CONTRACT for module in contracts), kinds=KINDS)
        register(self.book, HYDRO, PLANT)
        register(self.book, USER, but(LOAD, contract_demand_kw=15_000))
        self.say(GRID, BindMeter("H", 1, Direction.GENERATION, FIRST), BindMeter("U", USER_LOAD, Direction.LOAD, FIRST))
        for member_id, amount in ((GRID, RICH_FEN), (HYDRO, RICH_FEN), (USER, user_fen)):
            self.say(member_id, OpenAccount(BANK, sha256(b"account")))
            self.say(BANK, ConfirmDeposit(member_id, amount, sha256(b"deposit %d" % member_id)))

    def say(self, sender_id: int, *messages: Message) -> list[Any]:
        """Say messages in one block; each must be carried out. Returns the replies."""
        outcomes = self.book.apply(self.book.envelope(sender_id, *messages))[0]
        assert all(outcome.done for outcome in outcomes), outcomes
        return [self.book.reply(outcome) for outcome in outcomes]

    def refused(self, sender_id: int, message: Message) -> int:
        return self.book.refused(sender_id, message)

    def rule(self, code: int) -> None:
        kinds = (Kind.GENERATOR, Kind.RETAILER, Kind.USER)
        self.say(EXCHANGE, *(SetSetting("settlement.rule_code", kind, FIRST, (code,), "test") for kind in kinds))

    def agree(self, lines: tuple[Line, ...], first_day: int = FIRST, last_day: int = LAST) -> int:
        terms = Terms(1, HYDRO, USER, Method.BILATERAL, 0, "monthly", first_day, last_day, "SC", lines)
        return agreements.bear(self.book.context(), terms)

    def go_to(self, day: int, hour: int = 8) -> None:
        self.book.advance(clock.ms_at(day, hour))

    def read(self, day: int, generated_kwh: Sequence[int], used_kwh: Sequence[int]) -> None:
        """Readings of a day by segment."""
        columns = [[kwh * 250 for kwh in hours for _ in range(4)] for hours in (generated_kwh, used_kwh)]
        values = b"".join(pack(column) for column in columns)
        self.say(GRID, SubmitReadings(day, (HYDRO_METER, USER_METER), values))

    def publish(self, day: int, real_time: Sequence[int], day_ahead: Sequence[int] | None = None) -> None:
        prices = tuple(real_time)
        self.say(EXCHANGE, PublishReferencePrices(day, tuple(day_ahead or prices), prices, prices))

    def month(self, generated_kwh: int, used_kwh: int, real_time: int = 300_000) -> None:
        """Read, price and clear all of July; a month's energy is spread over the days, its rest on the first hour of the last."""
        self.go_to(20260801)
        for day in clock.days(FIRST, LAST):
            self.read(day, *(self._hours(total, day) for total in (generated_kwh, used_kwh)))
            self.publish(day, (real_time,) * 24)
            self.say(EXCHANGE, ClearDay(day))

    @staticmethod
    def _hours(total_kwh: int, day: int) -> list[int]:
        each = total_kwh // (31 * 24)
        rest = total_kwh - each * 31 * 24 if day == LAST else 0
        spread = rest // 24
        return [each + spread + (rest - 24 * spread) * (hour == 0) for hour in range(24)]

    def issue(self, *member_ids: int) -> dict[int, int]:
        """Issue statements; returns member -> statement id."""
        ids = member_ids or PARTIES
        return dict(zip(ids, self.say(EXCHANGE, IssueStatements(JULY, ids))[0].statement_ids, strict=True))

    def issued(self) -> dict[int, int]:
        """July over: under-use at F2, statements issued to all."""
        self.agreement_id = self.agree(flat_lines(CONTRACT_KWH))
        self.month(10_000_000, 9_300_000)
        return self.issue()

    def accepted(self) -> dict[int, int]:
        ids = self.issued()
        for member_id, statement_id in ids.items():
            self.say(member_id, AcceptStatement(statement_id))
        return ids

    def amounts(self, member_id: int) -> dict[str, int]:
        """Kind of line -> what the member owes."""
        found: dict[str, int] = {}
        for _, line in settlement.lines_of(self.book.store, member_id, JULY):
            if line.state is not LineState.CORRECTED:
                sign = 1 if line.payer_id == member_id else -1
                found[line.kind.value] = found.get(line.kind.value, 0) + sign * line.amount_fen
        return found

    def line(self, kind: LineKind, member_id: int = USER) -> int:
        return next(i for i, row in settlement.lines_of(self.book.store, member_id, JULY) if row.kind is kind)

    def free(self, member_id: int, code: Code = Code.CASH) -> int:
        return funds.free_fen(self.book.store, funds.account_of(self.book.store, member_id, code))

    def statement(self, statement_id: int) -> Any:
        return settlement.statement(self.book.store, statement_id)

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.book.events if isinstance(event, kind)]


FEES_A1 = {
    "loss": 14_476_380,
    "transmission": 59_892_000,
    "system": 41_175_750,
    "levy": 43_866_938,
    "demand": 40_500_000,
}
FEES_A2 = {
    "loss": 17_122_600,
    "transmission": 70_840_000,
    "system": 48_702_500,
    "levy": 51_885_625,
    "demand": 40_500_000,
}
# name, metered kWh, lines of the user's statement, its total, what hydro plant and grid company get (domain 4.4)
F4_CASES = [
    (9_300_000, {"energy": 195_300_000, "assessment": 823_200} | FEES_A1, 396_034_268, 195_300_000, 200_734_268),
    (11_000_000, {"energy": 226_800_000, "over_use": 6_000_000} | FEES_A2, 461_850_725, 226_800_000, 235_050_725),
    (9_600_000, {"energy": 201_600_000}, None, 201_600_000, None),
    (10_800_000, {"energy": 226_800_000}, None, 226_800_000, None),
]


@pytest.mark.parametrize(("used_kwh", "lines", "total", "hydro", "grid"), F4_CASES)
def test_worked_examples_a1_and_a2(
    used_kwh: int, lines: dict[str, int], total: int | None, hydro: int, grid: int | None
) -> None:
    town = Town()
    town.rule(4)
    town.agree(flat_lines(CONTRACT_KWH))
    town.month(10_000_000, used_kwh)
    town.say(EXCHANGE, PublishRegulationPrices(JULY, 300_000, 280_000, down_called=False))
    ids = town.issue()
    amounts = town.amounts(USER)
    assert {kind: amounts[kind] for kind in lines} == lines
    assert town.amounts(HYDRO) == {"energy": -hydro}
    if total is None:
        assert not {"assessment", "over_use", "deviation"} & set(amounts)
        return
    assert set(amounts) == set(lines)
    assert town.statement(ids[USER]).payable_fen == total
    assert -sum(town.amounts(GRID).values()) == grid
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    before = {member_id: town.free(member_id) for member_id in PARTIES}
    town.say(USER, PayStatement(ids[USER]))
    band = lines.get("assessment", 0) + lines.get("over_use", 0)
    assert town.free(GRID, Code.LEVY) == lines["levy"]
    assert town.free(GRID, Code.DEVIATION) == band
    assert town.free(GRID) - before[GRID] == grid - lines["levy"] - band
    assert (town.free(USER) - before[USER], town.free(HYDRO) - before[HYDRO]) == (-total, hydro)
    town.book.machine.check_all()


def test_f4_assesses_nothing_when_down_regulation_was_called() -> None:
    town = Town()
    town.rule(4)
    town.agree(flat_lines(CONTRACT_KWH))
    town.month(10_000_000, 9_300_000)
    town.say(EXCHANGE, PublishRegulationPrices(JULY, 300_000, 280_000, down_called=True))
    town.issue()
    assert "assessment" not in town.amounts(USER)


def test_f4_shares_metered_energy_by_contract_quantity() -> None:
    town = Town()
    town.rule(4)
    first, second = town.agree(flat_lines(1_000_001, 200_000)), town.agree(flat_lines(500_000, 300_000))
    town.month(0, 1_450_000)
    town.issue()
    energy = {
        row.agreement_id: (row.energy_kwh, row.amount_fen, row.explanation.values)
        for _, row in settlement.lines_of(town.book.store, USER, JULY)
        if row.kind is LineKind.ENERGY
    }
    # 1,450,000 x 1,000,001 / 1,500,001 = 966,666.989 and 483,333.011: the larger fraction takes the kWh that is left.
    assert energy[first] == (966_667, 19_333_340, (966_667, 1_000_001, 20_000_020))
    assert energy[second] == (483_333, 14_499_990, (483_333, 500_000, 15_000_000))


# hour -> Qc, Pc, Qda, Pda, Q, Prt in kWh and milli-yuan per MWh (domain 4.4, A3)
A3 = {
    3: (10_000, 200_000, 9_000, 150_000, 8_000, 140_000),
    13: (12_000, 220_000, 13_000, -20_000, 15_000, -35_000),
    20: (14_000, 260_000, 15_000, 420_000, 16_000, 460_000),
}


def a3_column(place: int) -> list[int]:
    return [A3.get(hour, (0,) * 6)[place] for hour in range(24)]


@pytest.mark.parametrize(
    ("code", "day_ahead", "deviation", "total_fen"),
    [(2, (0, 0), (3_000, 53_500), 881_500), (1, (1_000, 25_000), (2_000, 25_000), 878_000)],
)
def test_worked_example_a3(code: int, day_ahead: tuple[int, int], deviation: tuple[int, int], total_fen: int) -> None:
    town = Town()
    town.rule(code)
    town.agree(tuple(Line(hour, row[0], row[1]) for hour, row in A3.items()), FIRST, FIRST)
    town.go_to(20260702)
    town.read(FIRST, a3_column(0), a3_column(4))
    town.publish(FIRST, a3_column(5), a3_column(3))
    if code == 1:
        awards = (*(-kwh for kwh in a3_column(0)), *a3_column(2))
        town.say(EXCHANGE, PublishDayAhead(FIRST, (HYDRO, USER), awards))
    town.say(EXCHANGE, ClearDay(FIRST))
    bills = {event.member_id: event for event in town.told(DayBilled)}
    user, hydro, grid = bills[USER], bills[HYDRO], bills[GRID]
    assert (user.day_ahead_kwh, user.day_ahead_fen) == day_ahead
    assert (user.deviation_kwh, user.deviation_fen) == deviation
    assert user.contract_fen + user.day_ahead_fen + user.deviation_fen == total_fen
    assert (hydro.contract_fen, hydro.day_ahead_fen, hydro.deviation_fen) == (-828_000, 0, 0)
    assert grid.deviation_fen == -deviation[1]
    assert grid.day_ahead_fen == -day_ahead[1]
    cleared = town.told(DayCleared)[0]
    assert (cleared.contract_kwh, cleared.contract_fen, cleared.late) == (36_000, 828_000, False)
    assert (cleared.charged_fen, cleared.credited_fen) == (day_ahead[1] + deviation[1], 0)
    town.book.machine.check_all()


def test_a_negative_price_swaps_the_sides() -> None:
    town = Town()
    town.agree(flat_lines(744_000, -20_000))
    town.month(744_000, 744_000 + 31_000, real_time=-40_000)
    ids = town.issue()
    rows = {row.kind: row for _, row in settlement.lines_of(town.book.store, USER, JULY)}
    energy, deviation = rows[LineKind.ENERGY], rows[LineKind.DEVIATION]
    assert (energy.payer_id, energy.payee_id, energy.amount_fen, energy.energy_kwh) == (
        HYDRO,
        USER,
        1_488_000,
        -744_000,
    )
    assert (deviation.payer_id, deviation.payee_id, deviation.amount_fen) == (GRID, USER, 124_000)
    assert town.statement(ids[USER]).receivable_fen == 1_488_000 + 124_000
    town.book.machine.check_all()


def test_statements_sum_to_zero_and_explain_themselves() -> None:
    town = Town()
    ids = town.issued()
    rows = [town.statement(statement_id) for statement_id in ids.values()]
    assert sum(row.payable_fen for row in rows) == sum(row.receivable_fen for row in rows) > 0
    seen: dict[int, BillLine] = {}
    for member_id in PARTIES:
        seen.update(settlement.lines_of(town.book.store, member_id, JULY))
    assert len(seen) == 8  # the plant's deviation of 0.00 is one of them
    for row in seen.values():
        assert abs(amount_fen(row.explanation)) == row.amount_fen
    assert town.amounts(USER) == {"energy": 210_000_000, "deviation": -21_000_000} | FEES_A1
    town.book.machine.check_all()


def test_a_line_is_issued_once_whichever_statement_comes_first() -> None:
    town = Town()
    town.agree(flat_lines(CONTRACT_KWH))
    town.month(10_000_000, 9_300_000)
    first = town.issue(USER)
    line_ids = [line_id for line_id, _ in settlement.lines_of(town.book.store, USER, JULY)]
    later = town.issue(GRID, HYDRO)
    assert [line_id for line_id, _ in settlement.lines_of(town.book.store, USER, JULY)] == line_ids
    energy = town.line(LineKind.ENERGY)
    assert town.line(LineKind.ENERGY, HYDRO) == energy
    total = town.statement(first[USER])
    others = [town.statement(statement_id) for statement_id in later.values()]
    assert total.payable_fen == sum(row.receivable_fen - row.payable_fen for row in others) + total.receivable_fen


def test_late_issue_says_so_and_deadlines_follow_the_calendar() -> None:
    town = Town()
    town.agree(flat_lines(CONTRACT_KWH))
    town.month(10_000_000, 9_300_000)
    town.go_to(20260812)
    statement_id = town.issue(USER)[USER]
    assert [event.late for event in town.told(StatementIssued)] == [False]
    row = town.statement(statement_id)
    assert (row.issued_day, row.objection_end_day, row.due_day) == (20260812, 20260819, 20260902)
    town.go_to(20260813)
    town.issue(HYDRO)
    assert [event.late for event in town.told(StatementIssued)] == [True]


def test_silence_accepts_after_the_objection_period() -> None:
    town = Town()
    ids = town.issued()
    end_day = town.statement(ids[USER]).objection_end_day
    town.say(HYDRO, AcceptStatement(ids[HYDRO]))
    town.go_to(end_day, 23)
    assert town.statement(ids[USER]).state is StatementState.ISSUED
    town.go_to(clock.day_after(end_day))
    told = {event.statement_id: event.silent for event in town.told(StatementAccepted)}
    assert told == {ids[USER]: True, ids[GRID]: True}
    assert town.refused(USER, AcceptStatement(ids[USER])) == 10014


def test_paying_is_delivery_versus_payment() -> None:
    town = Town()
    ids = town.accepted()
    funds.reserve(town.book.context(), USER, f"agreement:{town.agreement_id}", 90_000_000_000)
    before = {member_id: town.free(member_id) for member_id in PARTIES}
    reply = town.say(USER, PayStatement(ids[USER]))[0]
    owed = town.amounts(USER)
    assert (reply.line_count, reply.amount_fen, reply.late) == (6, sum(owed.values()) + 21_000_000, False)
    # The collateral of the agreement is free again, and the agreement is settled in the same message.
    assert town.free(USER) - before[USER] == 90_000_000_000 - reply.amount_fen
    assert town.free(HYDRO) - before[HYDRO] == 210_000_000
    assert agreements.agreement(town.book.store, town.agreement_id).state is State.SETTLED
    assert town.free(GRID, Code.LEVY) == FEES_A1["levy"]
    line = settlement.line(town.book.store, town.line(LineKind.ENERGY))
    assert line.state is LineState.PAID
    assert funds.is_posted(town.book.store, settlement.transfer_id_of(town.line(LineKind.ENERGY)))
    town.say(GRID, PayStatement(ids[GRID]))
    for statement_id in ids.values():
        row = town.statement(statement_id)
        assert (row.paid_fen, row.received_fen) == (row.payable_fen, row.receivable_fen)
    town.book.machine.check_all()


def test_nothing_happens_if_one_leg_fails() -> None:
    town = Town(user_fen=300_000_000)
    ids = town.accepted()
    before = [(key, row) for key, row in settlement.lines_of(town.book.store, USER, JULY)]
    assert town.refused(USER, PayStatement(ids[USER])) == 4003
    assert settlement.lines_of(town.book.store, USER, JULY) == before
    assert agreements.agreement(town.book.store, town.agreement_id).state is State.DELIVERED
    assert town.free(USER) == 300_000_000
    assert town.free(HYDRO) == RICH_FEN
    town.book.machine.check_all()


def test_collateral_pays_the_bill_that_it_stands_for() -> None:
    town = Town(user_fen=410_000_000)
    ids = town.accepted()
    funds.reserve(town.book.context(), USER, f"agreement:{town.agreement_id}", 400_000_000)
    town.say(USER, PayStatement(ids[USER]))
    assert town.free(USER) == 410_000_000 - 210_000_000 - sum(FEES_A1.values())


def test_an_agreement_of_two_months_is_settled_with_its_last() -> None:
    town = Town()
    agreement_id = town.agree(flat_lines(CONTRACT_KWH), FIRST, 20260831)
    town.month(10_000_000, 9_300_000)
    ids = town.issue()
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    town.go_to(20260901)
    town.say(USER, PayStatement(ids[USER]))
    assert agreements.agreement(town.book.store, agreement_id).state is State.DELIVERED


def test_overdue_is_told_once_and_late_payment_works() -> None:
    town = Town()
    ids = town.accepted()
    due_day = town.statement(ids[USER]).due_day
    town.go_to(due_day, 23)
    assert not town.told(StatementOverdue)
    town.go_to(clock.day_after(due_day))
    told = {event.statement_id: event.overdue_fen for event in town.told(StatementOverdue)}
    assert told == {ids[USER]: 210_000_000 + sum(FEES_A1.values()), ids[GRID]: 21_000_000}
    town.go_to(clock.day_after(due_day, 2))
    assert not town.told(StatementOverdue)
    assert town.say(USER, PayStatement(ids[USER]))[0].late
    assert settlement.line(town.book.store, town.line(LineKind.ENERGY)).state is LineState.PAID_LATE


def test_the_due_day_moves_on_while_nothing_can_be_paid() -> None:
    town = Town()
    town.agree(flat_lines(CONTRACT_KWH))
    town.month(10_000_000, 9_300_000)
    statement_id = town.issue(USER)[USER]
    due_day = town.statement(statement_id).due_day
    town.go_to(clock.day_after(due_day))
    assert [event.due_day for event in town.told(StatementPostponed)] == [clock.day_after(due_day)]
    assert not town.told(StatementOverdue)
    assert town.refused(USER, PayStatement(statement_id)) == 10022
    others = town.issue(GRID, HYDRO)
    town.say(HYDRO, AcceptStatement(others[HYDRO]))
    assert town.say(USER, PayStatement(statement_id))[0].line_count == 1


def test_an_upheld_objection_corrects_the_line_before_payment() -> None:
    town = Town()
    ids = town.issued()
    line_id = town.line(LineKind.ENERGY)
    reply = town.say(USER, ObjectToLine(line_id, 200_000_000, EVIDENCE, "meter fault"))[0]
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    assert settlement.line(town.book.store, line_id).state is LineState.DISPUTED
    assert town.say(USER, PayStatement(ids[USER]))[0].line_count == 5
    town.say(EXCHANGE, AnswerObjection(reply.objection_id, True, 205_000_000, "half of it"))
    assert settlement.line(town.book.store, line_id).state is LineState.CORRECTED
    new_id = max(line_id for line_id, _ in settlement.lines_of(town.book.store, USER, JULY))
    new = settlement.line(town.book.store, new_id)
    assert (new.corrects_line_id, new.amount_fen, new.payee_id) == (line_id, 205_000_000, HYDRO)
    assert new.explanation.values == (line_id, 210_000_000, 205_000_000)
    assert town.statement(ids[HYDRO]).receivable_fen == 205_000_000
    assert town.refused(USER, ObjectToLine(new_id, 1, EVIDENCE, "again")) == 10014
    assert town.say(USER, PayStatement(ids[USER]))[0].amount_fen == 205_000_000
    assert agreements.agreement(town.book.store, town.agreement_id).state is State.SETTLED
    town.book.machine.check_all()


def test_a_dismissed_objection_leaves_the_line() -> None:
    town = Town()
    ids = town.issued()
    line_id = town.line(LineKind.ENERGY)
    reply = town.say(HYDRO, ObjectToLine(line_id, 220_000_000, EVIDENCE, "more"))[0]
    town.say(EXCHANGE, AnswerObjection(reply.objection_id, False, 0, "no"))
    assert settlement.line(town.book.store, line_id).state is LineState.OPEN
    assert town.statement(ids[USER]).payable_fen == 210_000_000 + sum(FEES_A1.values())
    town.book.machine.check_all()


def test_a_line_corrected_to_nothing_is_paid_without_a_transfer() -> None:
    town = Town()
    ids = town.issued()
    reply = town.say(USER, ObjectToLine(town.line(LineKind.ENERGY), 0, EVIDENCE, "not delivered"))[0]
    town.say(EXCHANGE, AnswerObjection(reply.objection_id, True, 0, "agreed"))
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    assert town.say(USER, PayStatement(ids[USER]))[0].amount_fen == sum(FEES_A1.values())
    assert agreements.agreement(town.book.store, town.agreement_id).state is State.SETTLED
    town.book.machine.check_all()


def test_reference_prices_can_be_corrected_until_the_day_is_cleared() -> None:
    town = Town()
    town.go_to(20260702)
    town.publish(FIRST, (100_000,) * 24)
    town.publish(FIRST, (200_000,) * 24)
    town.read(FIRST, (0,) * 24, (10,) * 24)
    town.say(EXCHANGE, ClearDay(FIRST))
    bill = next(event for event in town.told(DayBilled) if event.member_id == USER)
    assert bill.deviation_fen == 24 * 200
    late = PublishReferencePrices(FIRST, (1,) * 24, (1,) * 24, (1,) * 24)
    assert town.refused(EXCHANGE, late) == 10002


@pytest.mark.parametrize(("day", "late"), [(20260706, False), (20260707, True)])
def test_clearing_after_the_fifth_day_is_late(day: int, late: bool) -> None:
    town = Town()
    town.go_to(day)
    town.read(FIRST, (0,) * 24, (10,) * 24)
    town.publish(FIRST, (200_000,) * 24)
    town.say(EXCHANGE, ClearDay(FIRST))
    assert town.told(DayCleared)[0].late is late


def test_the_grid_company_owes_itself_nothing() -> None:
    town = Town()
    register(town.book, GRID, but(LOAD, contract_demand_kw=15_000))
    town.agree(flat_lines(CONTRACT_KWH))
    town.month(10_000_000, 9_300_000)
    town.issue()
    assert {row.resource_id for _, row in settlement.lines_of(town.book.store, GRID, JULY)} == {0, USER_LOAD}
    town.book.machine.check_all()
