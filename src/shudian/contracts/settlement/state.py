"""What settlement remembers: prices, what each day booked, the lines and statements of each month, objections."""

from shudian.contracts.settlement.messages_facts import BillLine, LineState, ObjectionState, Statement, StatementState
from shudian.kernel.codec import Record
from shudian.kernel.contract import BlockContext, RowInvariant, StateInvariant
from shudian.kernel.tables import Key, Table


class ReferencePrices(Record):
    """Prices of a day by segment, milli-yuan per MWh. version_no: 1, one more with each correction."""

    day_ahead_myuan_mwh: tuple[int, ...]
    real_time_myuan_mwh: tuple[int, ...]
    market_myuan_mwh: tuple[int, ...]
    version_no: int


class RegulationPrices(Record):
    """What F4 needs for a month: up-regulation and top increment price, whether down-regulation was called."""

    up_myuan_mwh: int
    increment_top_myuan_mwh: int
    down_called: bool


class DayAhead(Record):
    """Day-ahead award of a member by segment; positive takes energy from the grid."""

    quantities_kwh: tuple[int, ...]


class ClearedDay(Record):
    """A day that is cleared. cleared_ms: when. member_count, agreement_count: how many it covered."""

    cleared_ms: int
    member_count: int
    agreement_count: int


class DayBill(Record):
    """A member's day: energy from the grid and money owed are positive.

    contract_kwh, contract_fen: agreements, net. metered_kwh: load less generation; load_kwh: load alone. day_ahead_kwh, day_ahead_fen: F1's
    first leg. deviation_kwh, deviation_fen: real-time leg of F1 or F2; for the grid company the other side of everybody's.
    """

    contract_kwh: int
    contract_fen: int
    metered_kwh: int
    load_kwh: int
    day_ahead_kwh: int
    day_ahead_fen: int
    deviation_kwh: int
    deviation_fen: int


class Accrual(Record):
    """What an agreement delivered in a month so far. energy_kwh: in all. daily_fen: what the buyer owes by day of the month."""

    seller_id: int
    buyer_id: int
    energy_kwh: int
    daily_fen: tuple[int, ...]


class LoadAccrual(Record):
    """What a resource metered as load in a month so far. owner_id: member. energy_kwh: in all."""

    owner_id: int
    energy_kwh: int


class IssuedMonth(Record):
    """A month whose lines are made. issued_day: when. line_count: how many."""

    issued_day: int
    line_count: int


class Objection(Record):
    """An objection to a line. member_id: who. claimed_fen: what it should be. evidence: 32-byte digest. answer_due_day: for the exchange."""

    line_id: int
    member_id: int
    claimed_fen: int
    evidence: bytes
    reason: str
    answer_due_day: int
    state: ObjectionState = ObjectionState.OPEN


def _by_payer(_key: Key, row: BillLine) -> Key:
    return (row.payer_id, row.month)


def _by_payee(_key: Key, row: BillLine) -> Key:
    return (row.payee_id, row.month)


def _by_agreement(_key: Key, row: BillLine) -> Key | None:
    return (row.agreement_id,) if row.agreement_id else None


def _by_member(_key: Key, row: Statement) -> Key:
    return (row.member_id, row.month)


def _by_objection_end(_key: Key, row: Statement) -> Key | None:
    return (row.objection_end_day,) if row.state is StatementState.ISSUED else None


def _by_due(_key: Key, row: Statement) -> Key | None:
    is_open = row.state is StatementState.ACCEPTED and not row.overdue and row.paid_fen < row.payable_fen
    return (row.due_day,) if is_open else None


REFERENCE_PRICES = Table("settlement.reference_prices", ReferencePrices, ("day",))
REGULATION_PRICES = Table("settlement.regulation_prices", RegulationPrices, ("month",))
DAY_AHEAD = Table("settlement.day_ahead", DayAhead, ("day", "member_id"))
CLEARED_DAYS = Table("settlement.cleared_days", ClearedDay, ("day",))
DAY_BILLS = Table("settlement.day_bills", DayBill, ("month", "member_id", "day"))
ACCRUALS = Table("settlement.accruals", Accrual, ("month", "agreement_id"))
LOAD_ACCRUALS = Table("settlement.load_accruals", LoadAccrual, ("month", "resource_id"))
ISSUED_MONTHS = Table("settlement.issued_months", IssuedMonth, ("month",))
LINES = Table(
    "settlement.lines",
    BillLine,
    ("line_id",),
    {"by_payer": _by_payer, "by_payee": _by_payee, "by_agreement": _by_agreement},
)
STATEMENTS = Table(
    "settlement.statements",
    Statement,
    ("statement_id",),
    {"by_member": _by_member, "by_objection_end": _by_objection_end, "by_due": _by_due},
)
OBJECTIONS = Table("settlement.objections", Objection, ("objection_id",))

TABLES = (
    REFERENCE_PRICES,
    REGULATION_PRICES,
    DAY_AHEAD,
    CLEARED_DAYS,
    DAY_BILLS,
    ACCRUALS,
    LOAD_ACCRUALS,
    ISSUED_MONTHS,
    LINES,
    STATEMENTS,
    OBJECTIONS,
)


def _has_two_sides(_key: Key, row: BillLine) -> bool:
    return row.payer_id != row.payee_id and row.amount_fen >= 0


def _is_not_overpaid(_key: Key, row: Statement) -> bool:
    return 0 <= row.paid_fen <= row.payable_fen and 0 <= row.received_fen <= row.receivable_fen


def _days_sum_to_zero(at: BlockContext) -> bool:
    """On each day what some owe others get, to the fen: agreements, day-ahead legs and deviation."""
    sums: dict[object, list[int]] = {}
    for key, row in DAY_BILLS.range(at):
        total = sums.setdefault(key[2], [0, 0, 0])
        total[0] += row.contract_fen
        total[1] += row.day_ahead_fen
        total[2] += row.deviation_fen
    return not any(amount for total in sums.values() for amount in total)


def _statements_are_their_lines(at: BlockContext) -> bool:
    """A statement's totals are the sums of its lines: all that count, and those paid."""
    sums: dict[tuple[int, int, str], int] = {}
    for _, line in LINES.range(at):
        is_paid = line.state in (LineState.PAID, LineState.PAID_LATE)
        for member_id, side in ((line.payer_id, "owes"), (line.payee_id, "gets")):
            amount_fen = 0 if line.state is LineState.CORRECTED else line.amount_fen
            sums[member_id, line.month, side] = sums.get((member_id, line.month, side), 0) + amount_fen
            if is_paid:
                sums[member_id, line.month, side + " paid"] = (
                    sums.get((member_id, line.month, side + " paid"), 0) + amount_fen
                )
    return all(
        (row.payable_fen, row.receivable_fen, row.paid_fen, row.received_fen)
        == tuple(sums.get((row.member_id, row.month, side), 0) for side in ("owes", "gets", "owes paid", "gets paid"))
        for _, row in STATEMENTS.range(at)
    )


INVARIANTS = (
    RowInvariant("every line has one payer, another payee and no negative amount", LINES, _has_two_sides),
    RowInvariant("no statement is paid beyond its total", STATEMENTS, _is_not_overpaid),
    StateInvariant("the amounts of a cleared day sum to zero over all members", _days_sum_to_zero),
    StateInvariant("a statement's totals are the sums of its lines", _statements_are_their_lines),
)
