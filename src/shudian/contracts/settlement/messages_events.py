"""What happened in settlement."""

from typing import ClassVar

from shudian.contracts.settlement.messages_facts import BillLine, LineKind, LineState, ObjectionState, Statement
from shudian.kernel.messages import Event


class ReferencePricesPublished(Event):
    """The prices of a day are known; version_no above 1 is a correction."""

    step: ClassVar[str] = "priced"
    zh: ClassVar[str] = "参考价已发布"
    en: ClassVar[str] = "reference prices published"

    day: int
    version_no: int
    day_ahead_myuan_mwh: tuple[int, ...]
    real_time_myuan_mwh: tuple[int, ...]
    market_myuan_mwh: tuple[int, ...]


class RegulationPricesPublished(Event):
    """The regulation prices of a month are known."""

    step: ClassVar[str] = "priced"
    zh: ClassVar[str] = "调节价格已发布"
    en: ClassVar[str] = "regulation prices published"

    month: int
    up_myuan_mwh: int
    increment_top_myuan_mwh: int
    down_called: bool


class DayAheadPublished(Event):
    """Day-ahead awards are known; told to the exchange alone, each member sees its own in the read table."""

    step: ClassVar[str] = "awarded"
    zh: ClassVar[str] = "日前出清量已发布"
    en: ClassVar[str] = "day-ahead awards published"

    day: int
    member_ids: tuple[int, ...]
    quantities_kwh: tuple[int, ...]


class DayBilled(Event):
    """The day bill of a member 日清单: energy from the grid and money owed are positive.

    contract_segments_kwh, metered_segments_kwh: net by segment; used_segments_kwh: load alone. day_ahead_kwh, day_ahead_fen: F1's first
    leg, else 0. recovery_fen, returned_fen: F5. The grid company's deviation is the other side of everybody's, so all members' amounts
    sum to zero. A day that is cleared anew is told again, of the members whose bill changed.
    """

    step: ClassVar[str] = "billed"
    zh: ClassVar[str] = "日清单已生成"
    en: ClassVar[str] = "day bill made"

    day: int
    member_id: int
    contract_kwh: int
    metered_kwh: int
    contract_fen: int
    day_ahead_kwh: int
    day_ahead_fen: int
    deviation_kwh: int
    deviation_fen: int
    recovery_fen: int
    returned_fen: int
    contract_segments_kwh: tuple[int, ...]
    metered_segments_kwh: tuple[int, ...]
    used_segments_kwh: tuple[int, ...]


class AgreementDaysBooked(Event):
    """What each agreement delivered on a day and for how much, in columns; told to the exchange, sides see theirs in the read table."""

    step: ClassVar[str] = "booked"
    zh: ClassVar[str] = "合同日执行已入账"
    en: ClassVar[str] = "agreements booked for the day"

    day: int
    agreement_ids: tuple[int, ...]
    seller_ids: tuple[int, ...]
    buyer_ids: tuple[int, ...]
    energies_kwh: tuple[int, ...]
    amounts_fen: tuple[int, ...]


class DayCleared(Event):
    """A day is cleared, or cleared anew (version_no above 1): totals for everybody.

    contract_kwh, contract_fen: of all agreements. generation_kwh, load_kwh: metered. charged_fen, credited_fen: deviation that members
    owe to and get from the grid company. recovered_fen: F5. late: after the days that the rule gives.
    """

    step: ClassVar[str] = "cleared"
    zh: ClassVar[str] = "日清完成"
    en: ClassVar[str] = "day cleared"

    day: int
    version_no: int
    member_count: int
    agreement_count: int
    contract_kwh: int
    contract_fen: int
    generation_kwh: int
    load_kwh: int
    charged_fen: int
    credited_fen: int
    recovered_fen: int
    late: bool


class LineIssued(Event):
    """A line of a month between two members is made. is_replacement: it stands in the place of the line that it corrects."""

    step: ClassVar[str] = "issued"
    zh: ClassVar[str] = "结算行已生成"
    en: ClassVar[str] = "bill line issued"

    line_id: int
    line: BillLine
    is_replacement: bool


class StatementIssued(Event):
    """A statement was issued. late: after the working day that the rule gives."""

    step: ClassVar[str] = "issued"
    zh: ClassVar[str] = "结算单已发布"
    en: ClassVar[str] = "statement issued"

    statement_id: int
    statement: Statement
    late: bool


class StatementAccepted(Event):
    """A statement stands. silent: nobody spoke until the objection period ended."""

    step: ClassVar[str] = "accepted"
    zh: ClassVar[str] = "结算单已确认"
    en: ClassVar[str] = "statement accepted"

    statement_id: int
    silent: bool


class LineObjected(Event):
    """A member objects to a line; until the answer it is paid provisionally or not at all."""

    step: ClassVar[str] = "objected"
    zh: ClassVar[str] = "结算行被异议"
    en: ClassVar[str] = "objection raised"

    objection_id: int
    line_id: int
    member_id: int
    claimed_fen: int
    evidence: bytes
    reason: str
    answer_due_day: int


class ObjectionDecided(Event):
    """The exchange has answered, or the regulator has decided (state mediated).

    line_id: the line that was decided on; line_state: what became of it. new_line_id: the line that replaces it, or the correction 退补
    that stands in a later month, else 0. change_fen: what the decision adds to the amount between payer and payee. statement_change_fen:
    what of it changes the statements of the line's own month. late: after the day due.
    """

    step: ClassVar[str] = "answered"
    zh: ClassVar[str] = "异议已答复"
    en: ClassVar[str] = "objection answered"

    objection_id: int
    line_id: int
    state: ObjectionState
    line_state: LineState
    new_line_id: int
    change_fen: int
    statement_change_fen: int
    kind: LineKind
    payer_id: int
    payee_id: int
    month: int
    mediation_end_day: int
    reason: str
    late: bool


class MediationRequested(Event):
    """A side does not take the exchange's answer; line_state: a line that is not paid is disputed again."""

    step: ClassVar[str] = "in mediation"
    zh: ClassVar[str] = "申请调解"
    en: ClassVar[str] = "mediation requested"

    objection_id: int
    line_id: int
    line_state: LineState
    member_id: int
    reason: str


class StatementOverdue(Event):
    """The due day has passed and lines that could be paid are not; told once."""

    step: ClassVar[str] = "overdue"
    zh: ClassVar[str] = "结算单逾期"
    en: ClassVar[str] = "statement overdue"

    statement_id: int
    overdue_fen: int


class StatementPostponed(Event):
    """The due day came while nothing could be paid (other sides have not accepted, or objections are open); it moves on."""

    step: ClassVar[str] = "postponed"
    zh: ClassVar[str] = "付款到期日顺延"
    en: ClassVar[str] = "due day moved"

    statement_id: int
    due_day: int


class LinePaid(Event):
    """A line was paid, in one group with others. netting_id: paid by a difference, or 0. late: after the payer's due day."""

    step: ClassVar[str] = "paid"
    zh: ClassVar[str] = "结算行已支付"
    en: ClassVar[str] = "bill line paid"

    line_id: int
    statement_id: int
    payer_id: int
    payee_id: int
    month: int
    amount_fen: int
    netting_id: int
    late: bool


class LinesNetted(Event):
    """Lines between two members were paid by their difference: gross_fen owed by the payer, counter_fen by the payee, not more."""

    step: ClassVar[str] = "netted"
    zh: ClassVar[str] = "双边轧差"
    en: ClassVar[str] = "lines netted"

    netting_id: int
    statement_id: int
    payer_id: int
    payee_id: int
    month: int
    gross_fen: int
    counter_fen: int
    line_ids: tuple[int, ...]


class LineConverted(Event):
    """A line became a receivable (converted_for: its deed)."""

    step: ClassVar[str] = "converted"
    zh: ClassVar[str] = "转为应收账款"
    en: ClassVar[str] = "became a receivable"

    line_id: int
    payer_id: int
    payee_id: int
    month: int
    amount_fen: int
    converted_for: str


class LineRedeemed(Event):
    """A converted line was paid through its receivable."""

    step: ClassVar[str] = "redeemed"
    zh: ClassVar[str] = "应收账款兑付"
    en: ClassVar[str] = "paid through the receivable"

    line_id: int


EVENTS: tuple[type[Event], ...] = (
    ReferencePricesPublished,
    RegulationPricesPublished,
    DayAheadPublished,
    DayBilled,
    AgreementDaysBooked,
    DayCleared,
    LineIssued,
    StatementIssued,
    StatementAccepted,
    LineObjected,
    ObjectionDecided,
    MediationRequested,
    StatementOverdue,
    StatementPostponed,
    LinePaid,
    LinesNetted,
    LineConverted,
    LineRedeemed,
)
