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


class CertifiedBy(IntEnum):
    """How the certified volume of a green agreement is found (``settlement.green_rule_code``); min of three 三者取小 either way."""

    HOUR = 1
    """The smallest of contract, generation and use in each hour, added up over the month."""
    MONTH = 2
    """The smallest of the three sums of the month."""


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
    RECOVERY = "recovery"
    """Recovery of what deviating from the contract gained, F5 (偏差回收)."""
    RECOVERY_RETURN = "recovery_return"
    """Recovered money that goes back to the same side of the market (偏差回收返还)."""
    ENVIRONMENTAL = "environmental"
    """Environmental value of a green agreement's certified volume (绿电环境价值)."""
    COMPENSATION = "compensation"
    """What the seller of a green agreement owes for volume that its devices did not generate (绿电偏差补偿)."""


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
    CONVERTED = "converted"
    """Turned into a receivable, through which alone it is paid from then on."""
    REDEEMED = "redeemed"
    """Paid through the receivable."""


LINES_PAID = (LineState.PAID, LineState.PAID_LATE)
LINES_CONVERTED = (LineState.CONVERTED, LineState.REDEEMED)


class StatementState(StrEnum):
    """Life of a statement."""

    ISSUED = "issued"
    ACCEPTED = "accepted"


class ObjectionState(StrEnum):
    """Life of an objection."""

    OPEN = "open"
    """Waits for the exchange."""
    DISMISSED = "dismissed"
    UPHELD = "upheld"
    IN_MEDIATION = "in_mediation"
    """A side did not take the exchange's answer; the regulator mediates."""
    MEDIATED = "mediated"
    """The regulator has decided; arbitration and court are outside."""


OBJECTIONS_WAITING = (ObjectionState.OPEN, ObjectionState.IN_MEDIATION)


class Formula(StrEnum):
    """Names of the formulas that amounts come from."""

    SUM_OF_DAYS = "sum_of_days"
    GREEN_HOURS = "green_hours"
    GREEN_MONTH = "green_month"
    GREEN_SHORT = "green_short"
    F4_CONTRACT = "f4_contract"
    F4_OVER = "f4_over"
    F4_SHORT = "f4_short"
    TARIFF = "tariff"
    DEMAND = "demand"
    CORRECTED = "corrected"


class LineExplanation(Record):
    """Enough to compute an amount again: what the formula gives, less what earlier lines have billed for the same.

    formula: which. names: what its inputs are, unit last; the last name stands for all values that remain. values: the inputs in order.
    billed_fen: 0 but for a later correction of a line (退补), which carries the difference alone.
    """

    formula: Formula
    names: tuple[str, ...]
    values: tuple[int, ...]
    billed_fen: int = 0


class BillLine(Record):
    """One amount that one member owes another; it stands on the statements of both.

    month: yyyymm, of the statements that it stands on. kind: what for. payer_id, payee_id: members, never the same. amount_fen: never
    negative; a negative result swaps the sides. energy_kwh: positive where the payer takes it. agreement_id, resource_id: what it is
    about, or 0. explanation: how the amount came about. state, objection_id: see there; 0 if nobody objected. corrects_line_id: line
    that it replaces or adds to, or 0. origin_month: month that a later correction 退补 is about, 0 if it is its own. netting_id: by
    which it was paid, or 0. converted_for: deed of the receivable that it became, or empty.
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
    origin_month: int = 0
    netting_id: int = 0
    converted_for: str = ""


class Statement(Record):
    """A member's statement of a month 结算单; its lines are those of the month in which the member pays or is paid.

    issued_day. objection_end_day: last day to object; silence beyond it accepts. due_day: last day to pay in time. payable_fen,
    receivable_fen: totals of its lines, corrected ones left out. paid_fen, received_fen: what of it is paid. converted_fen,
    assigned_fen: what of payable and receivable became receivables. overdue: marked once.
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
    converted_fen: int = 0
    assigned_fen: int = 0
    state: StatementState = StatementState.ISSUED
    overdue: bool = False
