"""The whole market against a plain auditor: whatever is said in whatever order, both agree on every answer and every fen and kWh.

The machine grows by inheritance: money and standing, then trade, then meters, days and statements. Run with
``--hypothesis-show-statistics`` to see how often each message was carried out or refused, and with which number.
"""

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from shudian.contracts.agreements.messages import State as AgreementState
from shudian.contracts.agreements.state import AGREEMENTS
from shudian.contracts.metering.state import METERS
from shudian.contracts.settlement.messages import StatementState
from shudian.contracts.settlement.state import DAY_BILLS, LINES, STATEMENTS
from tests.property.auditor import DAY_MS, plus_days, start_of
from tests.property.auditor_metering import SLOTS
from tests.property.machine_money import END_DAY, pick, places
from tests.property.machine_trading import TradingMachine
from tests.property.town import (
    BANK,
    CAPACITY_KW,
    COMPANIES,
    FIRST_DAY,
    HOUR_MS,
    OWNERS,
    PAPER,
    SHOP,
    STEEL,
    WIND,
)

levels = st.sampled_from([0, 1, 37, 50, 100, 119])
"""Energy of a slot in percent of the meter's capacity."""
faults = st.sampled_from(["none", "none", "none", "short", "edge", "long", "negative", "implausible", "empty"])
spot_prices = st.sampled_from([-50_000, -35_000, 0, 140_000, 460_001, 800_000, -50_001, 800_001])


def column(member_id: int, level: int, fault: str) -> tuple[int, ...]:
    """96 readings in Wh, never whole kWh, with a fault planted."""
    values = [CAPACITY_KW[member_id] * 250 * level // 100 + slot % 7 for slot in range(SLOTS)]
    planted = {
        "short": dict.fromkeys((40, 41), -1),
        "edge": dict.fromkeys((0, 95), -1),
        "long": dict.fromkeys(range(40, 48), -1),
        "negative": {50: -7},
        "implausible": {50: CAPACITY_KW[member_id] * 300 + 1},
        "empty": dict.fromkeys(range(SLOTS), -1),
    }
    for slot, wh in planted.get(fault, {}).items():
        values[slot] = wh
    return tuple(values)


class SettlementMachine(TradingMachine):
    """Meters, days, statements and payment on top of trade."""

    @property
    def next_day(self) -> int:
        """The first day with meters that is not cleared."""
        return next(day for day in (plus_days(FIRST_DAY, count) for count in range(400)) if day not in self.book.bills)

    def columns(self, level: int, fault: str, only: int = 0) -> dict[int, tuple[int, ...]]:
        """By meter; the fault is planted in one of them, the levels differ."""
        return {
            meter_id: column(member_id, (level + 9 * meter_id) % 120, fault if meter_id == 1 + level % 5 else "none")
            for meter_id, member_id in enumerate(COMPANIES, 1)
            if only in (0, meter_id)
        }

    @rule(ahead=st.sampled_from([0, 0, 0, 1, 4]), level=levels, fault=faults, only=st.integers(0, 5))
    def submit_readings(self, ahead: int, level: int, fault: str, only: int) -> None:
        self.play.submit(plus_days(self.next_day, ahead), self.columns(level, fault, only))

    @precondition(lambda self: self.book.prices)
    @rule(meter_id=st.integers(1, 5), back=st.integers(0, 2), level=levels, fault=faults)
    def correct_readings(self, meter_id: int, back: int, level: int, fault: str) -> None:
        """Before the day is cleared, or after it, when bills stand."""
        days = list(self.book.meters[meter_id].days)
        day = pick(days, back) if back < len(days) else self.book.today
        self.play.correct(meter_id, day, column(COMPANIES[meter_id - 1], level, fault))

    @rule(ahead=st.sampled_from([-1, 0, 0, 1, 9]), price=spot_prices, evening=spot_prices)
    def publish_prices(self, ahead: int, price: int, evening: int) -> None:
        self.play.publish(plus_days(self.next_day, ahead), (price,) * 18 + (evening,) * 6)

    @rule(ahead=st.sampled_from([-1, 0, 0, 0, 1]))
    def clear_day(self, ahead: int) -> None:
        self.play.clear(plus_days(self.next_day, ahead))

    def settle_day(self, day: int, level: int, fault: str, price: int) -> None:
        """Whatever is missing of a day that is over: readings, prices, clearing."""
        missing = {
            meter_id: values
            for meter_id, values in self.columns(level, fault).items()
            if day not in self.book.meters[meter_id].days
        }
        if missing:
            self.play.submit(day, missing)
        if any(day not in meter.days for meter in self.book.meters.values()):  # nothing to fill a long gap from
            self.play.submit(day, {meter_id: self.columns(level, "none")[meter_id] for meter_id in missing})
        if day not in self.book.prices:
            self.play.publish(day, (price,) * 18 + (price + 1_234,) * 6)
        self.play.clear(day)

    @precondition(lambda self: self.book.today < END_DAY)
    @rule(level=levels, fault=faults, price=st.sampled_from([-35_000, 0, 333_333]))
    def play_day(self, level: int, fault: str, price: int) -> None:
        day = self.next_day
        if self.book.today <= day:
            self.play.advance(start_of(plus_days(day, 1)) + 8 * HOUR_MS)
        self.settle_day(day, level, fault, price)

    @property
    def months(self) -> list[int]:
        return sorted({day // 100 for day in self.book.bills} | {self.book.today // 100})

    @rule(place=st.sampled_from([0, 1, 1]), members=st.sampled_from([OWNERS, (STEEL,), (WIND, PAPER), (BANK,)]))
    def issue_statements(self, place: int, members: tuple[int, ...]) -> None:
        self.play.issue(self.months[-1 - place] if place < len(self.months) else 202606, members)

    @precondition(lambda self: self.book.statements)
    @rule(place=st.integers(0, 8), rival=st.integers(0, 5))
    def accept_statement(self, place: int, rival: int) -> None:
        statement_id = pick(list(self.book.statements), place)
        row = self.book.statements.get(statement_id)
        self.play.accept(row.member_id if row and rival else SHOP, statement_id)

    @precondition(lambda self: self.book.lines)
    @rule(place=st.integers(0, 30), payer=st.booleans(), rival=st.integers(0, 5))
    def object_to_line(self, place: int, payer: bool, rival: int) -> None:
        line_id = pick(list(self.book.lines), place)
        row = self.book.lines.get(line_id)
        side = WIND if row is None or not rival else row.line.payer_id if payer else row.line.payee_id
        self.play.object_to(side, line_id, 1)

    @precondition(lambda self: self.book.objections)
    @rule(place=places, corrected_fen=st.sampled_from([None, 0, 1, 777_777]))
    def answer_objection(self, place: int, corrected_fen: int | None) -> None:
        self.play.answer(pick(list(self.book.objections), place), corrected_fen)

    @precondition(lambda self: self.book.statements)
    @rule(place=st.integers(0, 8), rival=st.integers(0, 5))
    def pay_statement(self, place: int, rival: int) -> None:
        statement_id = pick(list(self.book.statements), place)
        row = self.book.statements.get(statement_id)
        self.play.pay(row.member_id if row and rival else SHOP, statement_id)

    @precondition(
        lambda self: (
            self.book.today < END_DAY and any(one.due_day >= self.book.today for one in self.book.statements.values())
        )
    )
    @rule(due=st.booleans())
    def advance_to_deadline(self, due: bool) -> None:
        """To the morning after the next end of an objection period or due day."""
        deadlines = [one.due_day if due else one.objection_end_day for one in self.book.statements.values()]
        day = min((day for day in deadlines if day >= self.book.today), default=self.book.today)
        self.play.advance(start_of(plus_days(day, 1)))

    @precondition(lambda self: self.book.today // 100 < END_DAY // 100 - 1)
    @rule(
        level=levels,
        fault=faults,
        price=st.sampled_from([-35_000, 0, 333_333]),
        silent=st.booleans(),
        objecting=st.sampled_from(["nobody", "answered", "open"]),
        is_helped=st.booleans(),
    )
    def play_month(self, level: int, fault: str, price: int, silent: bool, objecting: str, is_helped: bool) -> None:
        """The month of the next day to clear, from its readings to its payment, in one go."""
        month = self.next_day // 100
        end_ms = start_of(plus_days(month * 100 + 28, 4) // 100 * 100 + 1) + 9 * HOUR_MS
        if self.play.now_ms < end_ms:
            self.play.advance(end_ms)
        while (day := self.next_day) // 100 == month:
            self.settle_day(day, level, fault, price)
        having = {one.member_id for one in self.book.statements.values() if one.month == month}
        self.play.issue(month, tuple(member_id for member_id in OWNERS if member_id not in having))
        owed = [one for one, row in self.book.lines.items() if (row.line.payer_id, row.line.month) == (STEEL, month)]
        if owed and objecting != "nobody":
            self.play.object_to(STEEL, owed[0], 1)
        if self.book.objections and objecting == "answered":
            self.play.answer(max(self.book.objections), 777_777)
        own = [(statement_id, row) for statement_id, row in self.book.statements.items() if row.month == month]
        for statement_id, row in own:
            if not silent or row.member_id % 2:
                self.play.accept(row.member_id, statement_id)
        if silent:
            self.play.advance(start_of(plus_days(max(row.objection_end_day for _, row in own), 1)) + DAY_MS // 3)
        for statement_id, row in own:
            short_fen = self.book.short_fen(row.member_id, month)
            if is_helped and short_fen > 0:
                self.play.deposit(row.member_id, short_fen)
            self.play.pay(row.member_id, statement_id)
        if all(self.book.totals(row)[0] == self.book.totals(row)[2] for _, row in own):
            event("a month is paid whole")

    @invariant()
    def meters_agree(self) -> None:
        at = self.play.context()
        for key, row in METERS.range(at):
            meter = self.book.meters[int(key[0])]
            given_kwh = sum(sum(day.segments_kwh) for day in meter.days.values())
            assert (row.total_wh, row.total_kwh) == (sum(day.wh for day in meter.days.values()), given_kwh)
            assert row.carry_wh == meter.carry_wh == row.total_wh - 1_000 * given_kwh

    @invariant()
    def days_agree(self) -> None:
        at = self.play.context()
        held = {(int(key[2]), int(key[1])): (row.contract_fen, row.deviation_fen) for key, row in DAY_BILLS.range(at)}
        expected = {
            (day, member_id): (bill.contract_fen, bill.deviation_fen)
            for day, bills in self.book.bills.items()
            for member_id, bill in bills.items()
        }
        assert held == expected
        for bills in self.book.bills.values():
            assert sum(bill.contract_fen for bill in bills.values()) == 0
            assert sum(bill.deviation_fen for bill in bills.values()) == 0

    @invariant()
    def statements_agree(self) -> None:
        at = self.play.context()
        assert {int(key[0]): row.state for key, row in LINES.range(at)} == {
            line_id: row.state for line_id, row in self.book.lines.items()
        }
        for key, row in STATEMENTS.range(at):
            own = self.book.statements[int(key[0])]
            totals = (row.payable_fen, row.receivable_fen, row.paid_fen, row.received_fen)
            assert totals == self.book.totals(own)
            standing = (row.state is StatementState.ACCEPTED, row.overdue, row.due_day, row.objection_end_day)
            assert standing == (own.is_accepted, own.is_overdue, own.due_day, own.objection_end_day)

    @invariant()
    def paid_agreements_are_settled(self) -> None:
        at = self.play.context()
        for key, row in AGREEMENTS.range(at):
            agreement = self.book.agreements[int(key[0])]
            assert (row.state is AgreementState.SETTLED) == agreement.is_settled


TestMarketMachine = SettlementMachine.TestCase
TestMarketMachine.settings = settings(max_examples=2 * settings().max_examples, stateful_step_count=40)
