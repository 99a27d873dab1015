"""The auditor of cleared days, statements and payment, on top of :mod:`tests.property.auditor_metering`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shudian.contracts.funds.messages import BALANCE_TOO_LOW
from shudian.contracts.metering.messages import READINGS_MISSING
from shudian.contracts.settlement import messages_refusals as settlement
from shudian.contracts.settlement.messages import BillLine, LineKind, LineState, PaymentReply
from shudian.contracts.settlement.messages_events import DayBilled, LineIssued, StatementIssued
from shudian.contracts.trading.messages import Side
from tests.property.auditor import Reasons, date_of, days_of, justified, plus_days, rounded
from tests.property.auditor_metering import SEGMENTS, Meter, MeteringAuditor
from tests.property.auditor_trading import Agreement

SPOT_FLOOR_MYUAN_MWH, SPOT_CAP_MYUAN_MWH = -50_000, 800_000
SATURDAY = 5
HOLIDAYS, WORKDAYS = (20260806, 20260925), (20260808,)
OBJECTION_DAYS, DUE_DAYS = 5, 15
PAID = (LineState.PAID, LineState.PAID_LATE)
TARIFFS = {LineKind.LOSS: 1_556_600, LineKind.SYSTEM: 4_427_500, LineKind.LEVY: 4_716_875}
"""1e-8 yuan per kWh, as the genesis of Sichuan 2026 sets them; transmission and demand are facts of the load."""


def working_day_after(day: int, count: int) -> int:
    while count:
        day = plus_days(day, 1)
        is_weekday = date_of(day).weekday() < SATURDAY and day not in HOLIDAYS
        count -= is_weekday or day in WORKDAYS
    return day


@dataclass
class Bill:
    contract_fen: int = 0
    deviation_fen: int = 0


@dataclass
class Line:
    line: BillLine
    state: LineState = LineState.OPEN
    is_objected: bool = False


@dataclass
class Statement:
    member_id: int
    month: int
    objection_end_day: int
    due_day: int
    is_accepted: bool = False
    is_overdue: bool = False


class MarketAuditor(MeteringAuditor):
    """The whole market; the grid company is the other side of all deviation and fees."""

    def __init__(
        self,
        opening: dict[int, int],
        now_ms: int,
        capability_kw: dict[tuple[int, Side], int],
        grid_id: int,
        meters: dict[int, Meter],
    ) -> None:
        super().__init__(opening, now_ms, capability_kw, meters)
        self.grid_id = grid_id
        self.levy_account_id = grid_id * 100 + 30
        self.prices: dict[int, tuple[int, ...]] = {}
        self.bills: dict[int, dict[int, Bill]] = {}
        """By cleared day and member."""
        self.used_kwh: dict[tuple[int, int], int] = {}
        """By meter and cleared day: what the load used when the day was cleared; later corrections change no bill."""
        self.issued_months: set[int] = set()
        self.lines: dict[int, Line] = {}
        self.statements: dict[int, Statement] = {}
        self.objections: dict[int, tuple[int, bool]] = {}
        """By objection: (line, is open)."""

    def why_not_publish(self, day: int, prices: Sequence[int]) -> Reasons:
        is_in_bounds = SPOT_FLOOR_MYUAN_MWH <= min(prices) <= max(prices) <= SPOT_CAP_MYUAN_MWH
        return justified(
            (day > self.today, settlement.DAY_NOT_OVER),
            (day in self.bills, settlement.DAY_IS_CLEARED),
            (not is_in_bounds, settlement.PRICE_OUT_OF_BOUNDS),
        )

    def why_not_clear(self, day: int) -> Reasons:
        bound = [meter for meter in self.meters.values() if day >= meter.from_day]
        return justified(
            (day >= self.today, settlement.DAY_NOT_OVER),
            (day in self.bills, settlement.DAY_IS_CLEARED),
            (day not in self.prices, settlement.REFERENCE_PRICES_MISSING),
            (any(day not in meter.days for meter in bound), READINGS_MISSING),
        )

    def clear(self, day: int, told: list[DayBilled]) -> None:
        """Each agreement line once, then each member's segment once at the real-time price; the grid company has the other side."""
        bills = self.bills[day] = {self.grid_id: Bill()}
        open_kwh: dict[int, list[int]] = {}
        for agreement in self._delivering(day):
            for segment, price_myuan_mwh, kwh in agreement.day_segments(day):
                fen = rounded(kwh * price_myuan_mwh, 10_000)
                for member_id, sign in ((agreement.buyer_id, 1), (agreement.seller_id, -1)):
                    bills.setdefault(member_id, Bill()).contract_fen += sign * fen
                    open_kwh.setdefault(member_id, [0] * SEGMENTS)[segment] -= sign * kwh
        for meter_id, meter in self.meters.items():
            if day >= meter.from_day:
                bills.setdefault(meter.owner_id, Bill())
                self.used_kwh[meter_id, day] = sum(meter.days[day].segments_kwh) * (meter.sign > 0)
                member_kwh = open_kwh.setdefault(meter.owner_id, [0] * SEGMENTS)
                for segment, kwh in enumerate(meter.days[day].segments_kwh):
                    member_kwh[segment] += meter.sign * kwh
        for member_id, segments_kwh in open_kwh.items():
            fen = sum(rounded(kwh * price, 10_000) for kwh, price in zip(segments_kwh, self.prices[day], strict=True))
            bills[member_id].deviation_fen += fen
            bills[self.grid_id].deviation_fen -= fen
        assert {one.member_id: Bill(one.contract_fen, one.deviation_fen) for one in told} == bills

    def _delivering(self, day: int) -> list[Agreement]:
        return [agreement for agreement in self.agreements.values() if day in agreement.days]

    def why_not_issue(self, month: int, member_ids: Sequence[int]) -> Reasons:
        days = _days_of_month(month)
        wanted = [
            day for day in days if any(day >= meter.from_day for meter in self.meters.values()) or self._delivering(day)
        ]
        billed = {member_id for day in days for member_id in self.bills.get(day, ())}
        having = {one.member_id for one in self.statements.values() if one.month == month}
        return justified(
            (any(day not in self.bills for day in wanted), settlement.MONTH_NOT_CLEARED),
            (self.today <= days[-1], settlement.MONTH_NOT_CLEARED),
            (bool(having & set(member_ids)), settlement.STATEMENT_EXISTS),
            (bool(set(member_ids) - billed), settlement.MEMBER_HAS_NO_DAY_BILLS),
        )

    def issue(self, month: int, told: list[StatementIssued], lines: list[LineIssued]) -> None:
        if month not in self.issued_months:
            made = Counter((one.line.kind, one.line.payer_id, one.line.payee_id, one.line.amount_fen) for one in lines)
            assert made == Counter(self._lines_of(month))
        else:
            assert not lines
        self.issued_months.add(month)
        self._take_lines(lines)
        for one in told:
            dates = (working_day_after(self.today, OBJECTION_DAYS), working_day_after(self.today, DUE_DAYS))
            assert one.statement_id == len(self.statements) + 1
            assert (one.statement.objection_end_day, one.statement.due_day) == dates
            self.statements[one.statement_id] = Statement(one.statement.member_id, month, *dates)

    def _take_lines(self, lines: list[LineIssued], *, is_objected: bool = False) -> None:
        for one in lines:
            assert one.line_id == len(self.lines) + 1
            self.lines[one.line_id] = Line(one.line, is_objected=is_objected)

    def _lines_of(self, month: int) -> list[tuple[LineKind, int, int, int]]:
        """(kind, payer, payee, fen) of all lines of a month; what is negative is owed the other way round."""
        days = [day for day in _days_of_month(month) if day in self.bills]
        lines: list[tuple[LineKind, int, int, int]] = []

        def owe(kind: LineKind, payer_id: int, payee_id: int, fen: int) -> None:
            lines.append((kind, payer_id, payee_id, fen) if fen >= 0 else (kind, payee_id, payer_id, -fen))

        for agreement in self.agreements.values():
            delivered = [day for day in days if day in agreement.days]
            if delivered:
                fen = sum(
                    rounded(kwh * price, 10_000) for day in delivered for _, price, kwh in agreement.day_segments(day)
                )
                owe(LineKind.ENERGY, agreement.buyer_id, agreement.seller_id, fen)
        for member_id in {member_id for day in days for member_id in self.bills[day]} - {self.grid_id}:
            by_day = [self.bills[day].get(member_id, Bill()).deviation_fen for day in days]
            if any(by_day):
                owe(LineKind.DEVIATION, member_id, self.grid_id, sum(by_day))
        for meter_id, meter in self.meters.items():
            kwh = sum(self.used_kwh.get((meter_id, day), 0) for day in days)
            tariffs = {**TARIFFS, LineKind.TRANSMISSION: meter.transmission_e8yuan_kwh}
            for kind, tariff in tariffs.items() if kwh else ():
                owe(kind, meter.owner_id, self.grid_id, rounded(kwh * tariff, 1_000_000))
            if meter.demand_fen:
                owe(LineKind.DEMAND, meter.owner_id, self.grid_id, meter.demand_fen)
        return lines

    def statement_of(self, member_id: int, month: int) -> Statement | None:
        found = (one for one in self.statements.values() if (one.member_id, one.month) == (member_id, month))
        return next(found, None)

    def why_not_own(self, member_id: int, statement_id: int) -> Reasons:
        row = self.statements.get(statement_id)
        if row is None:
            return [settlement.STATEMENT_UNKNOWN]
        return justified((row.member_id != member_id, settlement.NOT_OWN_STATEMENT))

    def why_not_accept(self, member_id: int, statement_id: int) -> Reasons:
        row = self.statements.get(statement_id)
        is_accepted = row is not None and row.is_accepted
        return self.why_not_own(member_id, statement_id) + justified((is_accepted, settlement.STATEMENT_IS_ACCEPTED))

    def why_not_object(self, member_id: int, line_id: int) -> Reasons:
        row = self.lines.get(line_id)
        if row is None:
            return [settlement.LINE_UNKNOWN]
        if member_id not in (row.line.payer_id, row.line.payee_id):
            return [settlement.NOT_OWN_LINE]
        own = self.statement_of(member_id, row.line.month)
        if own is None:
            return [settlement.STATEMENT_UNKNOWN]
        return justified(
            (own.is_accepted, settlement.STATEMENT_IS_ACCEPTED), (row.is_objected, settlement.LINE_WAS_OBJECTED)
        )

    def object_to(self, objection_id: int, line_id: int) -> None:
        assert objection_id == len(self.objections) + 1
        self.objections[objection_id] = (line_id, True)
        self.lines[line_id].is_objected = True
        self.lines[line_id].state = LineState.DISPUTED

    def why_not_answer(self, objection_id: int) -> Reasons:
        if objection_id not in self.objections:
            return [settlement.OBJECTION_UNKNOWN]
        return justified((not self.objections[objection_id][1], settlement.OBJECTION_IS_ANSWERED))

    def answer(self, objection_id: int, corrected_fen: int | None, made: list[LineIssued]) -> None:
        """Without a corrected amount the line stands; else one line of that amount takes its place, between the same sides."""
        line_id, _ = self.objections[objection_id]
        self.objections[objection_id] = (line_id, False)
        row = self.lines[line_id]
        row.state = LineState.OPEN if corrected_fen is None else LineState.CORRECTED
        expected = [] if corrected_fen is None else [(row.line.payer_id, row.line.payee_id, corrected_fen, line_id)]
        told = [(one.line.payer_id, one.line.payee_id, one.line.amount_fen, one.line.corrects_line_id) for one in made]
        assert told == expected
        self._take_lines(made, is_objected=True)

    def payable(self, member_id: int, month: int) -> list[int]:
        """Open lines whose two sides have accepted."""

        def has_accepted(other_id: int) -> bool:
            row = self.statement_of(other_id, month)
            return row is not None and row.is_accepted

        return [
            line_id
            for line_id, row in self.lines.items()
            if (row.line.payer_id, row.line.month, row.state) == (member_id, month, LineState.OPEN)
            and has_accepted(row.line.payee_id)
        ]

    def _settled_by(self, line_ids: list[int]) -> list[int]:
        """Agreements that have no unpaid line in any month once these lines are paid."""
        done = []
        for agreement_id in {self.lines[line_id].line.agreement_id for line_id in line_ids} - {0}:
            months = {day // 100 for day in self.agreements[agreement_id].days}
            unpaid = [
                line_id
                for line_id, row in self.lines.items()
                if row.line.agreement_id == agreement_id
                and row.state not in (*PAID, LineState.CORRECTED)
                and line_id not in line_ids
            ]
            if months <= self.issued_months and not unpaid:
                done.append(agreement_id)
        return done

    def short_fen(self, member_id: int, month: int) -> int:
        """What is missing to pay all that can be paid, when the collateral of what that settles is free again."""
        line_ids = self.payable(member_id, month)
        freed_fen = sum(self.reserved.get((member_id, f"agreement:{one}"), 0) for one in self._settled_by(line_ids))
        return sum(self.lines[one].line.amount_fen for one in line_ids) - self.free(member_id) - freed_fen

    def why_not_pay(self, member_id: int, statement_id: int) -> Reasons:
        row = self.statements.get(statement_id)
        if row is None or row.member_id != member_id:
            return self.why_not_own(member_id, statement_id)
        return justified(
            (not row.is_accepted, settlement.STATEMENT_NOT_ACCEPTED),
            (not self.payable(member_id, row.month), settlement.NOTHING_TO_PAY),
            (self.short_fen(member_id, row.month) > 0, BALANCE_TOO_LOW),
        )

    def pay(self, statement_id: int, reply: PaymentReply) -> None:
        row = self.statements[statement_id]
        line_ids = self.payable(row.member_id, row.month)
        is_late = self.today > row.due_day
        for agreement_id in self._settled_by(line_ids):
            agreement = self.agreements[agreement_id]
            agreement.is_settled = True
            for member_id in (agreement.buyer_id, agreement.seller_id):
                self.reserve(member_id, f"agreement:{agreement_id}", 0)
        for line_id in line_ids:
            line = self.lines[line_id].line
            self.lines[line_id].state = LineState.PAID_LATE if is_late else LineState.PAID
            payee_account_id = self.levy_account_id if line.kind is LineKind.LEVY else line.payee_id * 100 + 10
            self.owned[row.member_id * 100 + 10] -= line.amount_fen
            self.owned[payee_account_id] = self.owned.get(payee_account_id, 0) + line.amount_fen
        moved_fen = sum(self.lines[line_id].line.amount_fen for line_id in line_ids)
        assert (reply.line_count, reply.amount_fen, reply.late) == (len(line_ids), moved_fen, is_late)

    def totals(self, row: Statement) -> tuple[int, int, int, int]:
        """(payable, receivable, paid, received), fen; corrected lines count no more."""
        standing = [
            one for one in self.lines.values() if one.line.month == row.month and one.state is not LineState.CORRECTED
        ]
        owes = [one for one in standing if one.line.payer_id == row.member_id]
        gets = [one for one in standing if one.line.payee_id == row.member_id]
        return (
            sum(one.line.amount_fen for one in owes),
            sum(one.line.amount_fen for one in gets),
            sum(one.line.amount_fen for one in owes if one.state in PAID),
            sum(one.line.amount_fen for one in gets if one.state in PAID),
        )

    def end_block(self) -> None:
        """Silence accepts; what could be paid and is not is overdue once; while nothing can be paid the due day moves on."""
        for row in self.statements.values():
            if row.objection_end_day < self.today:
                row.is_accepted = True
        for row in self.statements.values():
            payable_fen, _, paid_fen, _ = self.totals(row)
            is_due = row.is_accepted and not row.is_overdue and row.due_day < self.today and paid_fen < payable_fen
            if not is_due:
                continue
            if any(self.lines[line_id].line.amount_fen for line_id in self.payable(row.member_id, row.month)):
                row.is_overdue = True
            else:
                row.due_day = self.today


def _days_of_month(month: int) -> list[int]:
    first_day = month * 100 + 1
    next_first = (month + (89 if month % 100 == 12 else 1)) * 100 + 1
    return days_of(first_day, plus_days(next_first, -1))
