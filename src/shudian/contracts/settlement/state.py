"""What settlement remembers: prices, what each day booked, the lines and statements of each month, objections."""

from shudian.contracts.settlement.messages_facts import (
    LINES_CONVERTED,
    LINES_PAID,
    BillLine,
    LineState,
    ObjectionState,
    Statement,
    StatementState,
)
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
    """A day that is cleared. cleared_ms: when. member_count, agreement_count: how many it covered. version_no: 1, one more each time anew."""

    cleared_ms: int
    member_count: int
    agreement_count: int
    version_no: int = 1


class DayBill(Record):
    """A member's day: energy from the grid and money owed are positive.

    contract_kwh, contract_fen: agreements, net. metered_kwh: load less generation; load_kwh: load alone. day_ahead_kwh, day_ahead_fen: F1's
    first leg. deviation_kwh, deviation_fen: real-time leg of F1 or F2; for the grid company the other side of everybody's. recovery_fen:
    charged by F5. returned_fen: what comes back of it, not positive.
    """

    contract_kwh: int
    contract_fen: int
    metered_kwh: int
    load_kwh: int
    day_ahead_kwh: int
    day_ahead_fen: int
    deviation_kwh: int
    deviation_fen: int
    recovery_fen: int
    returned_fen: int


class Accrual(Record):
    """What an agreement delivered in a month so far. energy_kwh: in all. daily_fen: what the buyer owes by day of the month."""

    seller_id: int
    buyer_id: int
    energy_kwh: int
    daily_fen: tuple[int, ...]


class MeterAccrual(Record):
    """What a resource metered one way in a month so far. owner_id: member. daily_kwh: by day of the month."""

    owner_id: int
    daily_kwh: tuple[int, ...]


class GreenAccrual(Record):
    """A green agreement's month so far, by day of the month.

    contract_kwh: delivered by contract. generated_kwh: of it, what its devices generated in the same hour. certified_kwh: of that, what
    the buyer used in the same hour.
    """

    contract_kwh: tuple[int, ...]
    generated_kwh: tuple[int, ...]
    certified_kwh: tuple[int, ...]


class Certified(Record):
    """A green agreement's month when its lines are made. contract_kwh, generated_kwh: see GreenAccrual. certified_kwh: min of three."""

    contract_kwh: int
    generated_kwh: int
    certified_kwh: int


class Netting(Record):
    """Lines between two members paid by their difference. gross_fen: what the payer owed. counter_fen: what the payee owed, not more."""

    payer_id: int
    payee_id: int
    gross_fen: int
    counter_fen: int


class IssuedMonth(Record):
    """A month whose lines are made. issued_day: when. line_count: how many."""

    issued_day: int
    line_count: int


class Objection(Record):
    """An objection to a line.

    line_id: the line that stands, a successor once one was made. member_id: who. claimed_fen: what it should be. evidence: 32-byte
    digest. answer_due_day: for the exchange. standing_fen: what the decisions so far make of the line. mediation_end_day: last day to ask
    for mediation, 0 while unanswered.
    """

    line_id: int
    member_id: int
    claimed_fen: int
    evidence: bytes
    reason: str
    answer_due_day: int
    standing_fen: int
    mediation_end_day: int = 0
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
    is_unpaid = row.paid_fen + row.converted_fen < row.payable_fen
    is_open = row.state is StatementState.ACCEPTED and not row.overdue and is_unpaid
    return (row.due_day,) if is_open else None


REFERENCE_PRICES = Table("settlement.reference_prices", ReferencePrices, ("day",))
REGULATION_PRICES = Table("settlement.regulation_prices", RegulationPrices, ("month",))
DAY_AHEAD = Table("settlement.day_ahead", DayAhead, ("day", "member_id"))
CLEARED_DAYS = Table("settlement.cleared_days", ClearedDay, ("day",))
DAY_BILLS = Table("settlement.day_bills", DayBill, ("month", "member_id", "day"))
ACCRUALS = Table("settlement.accruals", Accrual, ("month", "agreement_id"))
LOAD_ACCRUALS = Table("settlement.load_accruals", MeterAccrual, ("month", "resource_id"))
GENERATION_ACCRUALS = Table("settlement.generation_accruals", MeterAccrual, ("month", "resource_id"))
GREEN_ACCRUALS = Table("settlement.green_accruals", GreenAccrual, ("month", "agreement_id"))
CERTIFIED = Table("settlement.certified", Certified, ("month", "agreement_id"))
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
NETTINGS = Table("settlement.nettings", Netting, ("netting_id",))

TABLES = (
    REFERENCE_PRICES,
    REGULATION_PRICES,
    DAY_AHEAD,
    CLEARED_DAYS,
    DAY_BILLS,
    ACCRUALS,
    LOAD_ACCRUALS,
    GENERATION_ACCRUALS,
    GREEN_ACCRUALS,
    CERTIFIED,
    ISSUED_MONTHS,
    LINES,
    STATEMENTS,
    OBJECTIONS,
    NETTINGS,
)


def _has_two_sides(_key: Key, row: BillLine) -> bool:
    return row.payer_id != row.payee_id and row.amount_fen >= 0


def _is_not_overpaid(_key: Key, row: Statement) -> bool:
    return (
        min(row.paid_fen, row.received_fen, row.converted_fen, row.assigned_fen) >= 0
        and row.paid_fen + row.converted_fen <= row.payable_fen
        and row.received_fen + row.assigned_fen <= row.receivable_fen
    )


def _takes_the_difference(_key: Key, row: Netting) -> bool:
    return 0 <= row.counter_fen <= row.gross_fen and row.payer_id != row.payee_id


def _certifies_the_least(_key: Key, row: Certified) -> bool:
    return 0 <= row.certified_kwh <= min(row.contract_kwh, row.generated_kwh)


def _days_sum_to_zero(at: BlockContext) -> bool:
    """On each day what some owe others get, to the fen: agreements, day-ahead legs, deviation, recovery with its return."""
    sums: dict[object, list[int]] = {}
    for key, row in DAY_BILLS.range(at):
        total = sums.setdefault(key[2], [0, 0, 0, 0])
        total[0] += row.contract_fen
        total[1] += row.day_ahead_fen
        total[2] += row.deviation_fen
        total[3] += row.recovery_fen + row.returned_fen
    return not any(amount for total in sums.values() for amount in total)


def _statements_are_their_lines(at: BlockContext) -> bool:
    """A statement's totals are the sums of its lines: all that count, those paid, those converted."""
    sums: dict[tuple[int, int, str], int] = {}
    for _, line in LINES.range(at):
        for member_id, side in ((line.payer_id, "owes"), (line.payee_id, "gets")):
            for group, counts in (
                (side, line.state is not LineState.CORRECTED),
                (side + " paid", line.state in LINES_PAID),
                (side + " converted", line.state in LINES_CONVERTED),
            ):
                key = (member_id, line.month, group)
                sums[key] = sums.get(key, 0) + line.amount_fen * counts
    groups = ("owes", "gets", "owes paid", "gets paid", "owes converted", "gets converted")
    return all(
        (row.payable_fen, row.receivable_fen, row.paid_fen, row.received_fen, row.converted_fen, row.assigned_fen)
        == tuple(sums.get((row.member_id, row.month, group), 0) for group in groups)
        for _, row in STATEMENTS.range(at)
    )


def _nettings_are_their_lines(at: BlockContext) -> bool:
    """What a netting paid is the sum of its lines, one way and the other."""
    sums: dict[tuple[int, int], int] = {}
    for _, line in LINES.range(at):
        if line.netting_id:
            key = (line.netting_id, line.payer_id)
            sums[key] = sums.get(key, 0) + line.amount_fen
    return all(
        (row.gross_fen, row.counter_fen)
        == (sums.get((int(key[0]), row.payer_id), 0), sums.get((int(key[0]), row.payee_id), 0))
        for key, row in NETTINGS.range(at)
    )


INVARIANTS = (
    RowInvariant("every line has one payer, another payee and no negative amount", LINES, _has_two_sides),
    RowInvariant("no statement is paid beyond its total", STATEMENTS, _is_not_overpaid),
    RowInvariant("a netting pays a difference that is not negative", NETTINGS, _takes_the_difference),
    RowInvariant("no more is certified than contracted and generated", CERTIFIED, _certifies_the_least),
    StateInvariant("the amounts of a cleared day sum to zero over all members", _days_sum_to_zero),
    StateInvariant("a statement's totals are the sums of its lines", _statements_are_their_lines),
    StateInvariant("a netting is the sum of its lines", _nettings_are_their_lines),
)
