"""What a statement is made of: kinds and states, formulas, lines with their explanation, statements."""

from enum import IntEnum, StrEnum

from shudian.kernel.codec import Record


class RuleCode(IntEnum):
    """Which formula settles what a member used or produced beside its agreements (``settlement.rule_code``)."""

    TWO_SETTLEMENT = 1
    """F1 双结算: day-ahead and real-time leg."""
    SINGLE_SETTLEMENT = 2
    """F2 单结算: real-time leg only."""
    MONTHLY_BAND = 4
    """F4 月度偏差: agreements follow the metered energy of the month within a band."""


class Period(IntEnum):
    """Periods of the time-of-use table, in the order of ``settlement.tou_k_ppm``."""

    TIP = 0
    PEAK = 1
    FLAT = 2
    VALLEY = 3


class LineKind(StrEnum):
    """What a line of a statement is for."""

    ENERGY = "energy"
    """Energy of an agreement in the month (电能量)."""
    DAY_AHEAD = "day_ahead"
    """Day-ahead deviation of F1 (日前偏差)."""
    DEVIATION = "deviation"
    """Real-time deviation of F1 or F2 (实时偏差)."""
    OVER_USE = "over_use"
    """Energy beyond the band of F4 (超用电量)."""
    ASSESSMENT = "assessment"
    """Energy short beyond the band of F4 (少用考核)."""
    LOSS = "loss"
    """Upstream loss 上网环节线损费用."""
    TRANSMISSION = "transmission"
    """Transmission and distribution 输配电量电费."""
    SYSTEM = "system"
    """System operation 系统运行费."""
    LEVY = "levy"
    """Government funds and surcharges 政府性基金及附加."""
    DEMAND = "demand"
    """Demand charge 需量电费."""


class LineState(StrEnum):
    """Life of a line."""

    OPEN = "open"
    """Issued and unpaid."""
    DISPUTED = "disputed"
    """An objection waits for its answer."""
    CORRECTED = "corrected"
    """Replaced by another line after an upheld objection; it counts no more."""
    PAID = "paid"
    PAID_LATE = "paid_late"


class StatementState(StrEnum):
    """Life of a statement."""

    ISSUED = "issued"
    ACCEPTED = "accepted"


class ObjectionState(StrEnum):
    """Life of an objection."""

    OPEN = "open"
    DISMISSED = "dismissed"
    UPHELD = "upheld"


class Formula(StrEnum):
    """Names of the formulas that amounts come from."""

    SUM_OF_DAYS = "sum_of_days"
    F4_CONTRACT = "f4_contract"
    F4_OVER = "f4_over"
    F4_SHORT = "f4_short"
    TARIFF = "tariff"
    DEMAND = "demand"
    CORRECTED = "corrected"


class LineExplanation(Record):
    """Enough to compute an amount again.

    formula: which. names: what its inputs are, unit last; the last name stands for all values that remain. values: the inputs in order.
    """

    formula: Formula
    names: tuple[str, ...]
    values: tuple[int, ...]


class BillLine(Record):
    """One amount that one member owes another for a month; it stands on the statements of both.

    month: yyyymm. kind: what for. payer_id, payee_id: members, never the same. amount_fen: never negative; a negative result swaps the
    sides. energy_kwh: positive where the payer takes it. agreement_id, resource_id: what it is about, or 0.
    explanation: how the amount came about. state, objection_id: see there; 0 if nobody objected. corrects_line_id: line that it replaces, or 0.
    """

    month: int
    kind: LineKind
    payer_id: int
    payee_id: int
    amount_fen: int
    energy_kwh: int
    agreement_id: int
    resource_id: int
    explanation: LineExplanation
    state: LineState = LineState.OPEN
    objection_id: int = 0
    corrects_line_id: int = 0


class Statement(Record):
    """A member's statement of a month 结算单; its lines are those of the month in which the member pays or is paid.

    issued_day. objection_end_day: last day to object; silence beyond it accepts. due_day: last day to pay in time. payable_fen,
    receivable_fen: totals of its lines, corrected ones left out. paid_fen, received_fen: what of it is paid. overdue: marked once.
    """

    member_id: int
    month: int
    issued_day: int
    objection_end_day: int
    due_day: int
    payable_fen: int
    receivable_fen: int
    paid_fen: int = 0
    received_fen: int = 0
    state: StatementState = StatementState.ISSUED
    overdue: bool = False
