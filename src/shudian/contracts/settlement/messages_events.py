"""What happened in settlement."""

from typing import ClassVar

from shudian.contracts.settlement.messages_facts import BillLine, LineKind, Statement
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

    contract_segments_kwh, metered_segments_kwh: net by segment. day_ahead_kwh, day_ahead_fen: F1's first leg, else 0. The grid
    company's deviation is the other side of everybody's, so all members' amounts sum to zero.
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
    contract_segments_kwh: tuple[int, ...]
    metered_segments_kwh: tuple[int, ...]


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
    """A day is cleared: totals for everybody.

    contract_kwh, contract_fen: of all agreements. generation_kwh, load_kwh: metered. charged_fen, credited_fen: deviation that members
    owe to and get from the grid company. late: after the days that the rule gives.
    """

    step: ClassVar[str] = "cleared"
    zh: ClassVar[str] = "日清完成"
    en: ClassVar[str] = "day cleared"

    day: int
    member_count: int
    agreement_count: int
    contract_kwh: int
    contract_fen: int
    generation_kwh: int
    load_kwh: int
    charged_fen: int
    credited_fen: int
    late: bool


class LineIssued(Event):
    """A line of a month between two members is made."""

    step: ClassVar[str] = "issued"
    zh: ClassVar[str] = "结算行已生成"
    en: ClassVar[str] = "bill line issued"

    line_id: int
    line: BillLine


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
    """A member objects to a line; it cannot be paid until the answer."""

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


class ObjectionAnswered(Event):
    """The exchange decided. replaced_by_line_id: the corrected line if upheld, else 0. change_fen: what it adds to the amount."""

    step: ClassVar[str] = "answered"
    zh: ClassVar[str] = "异议已答复"
    en: ClassVar[str] = "objection answered"

    objection_id: int
    line_id: int
    upheld: bool
    replaced_by_line_id: int
    change_fen: int
    kind: LineKind
    payer_id: int
    payee_id: int
    month: int
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
    """A line was paid, in one group with others of the payer's statement. late: after the due day."""

    step: ClassVar[str] = "paid"
    zh: ClassVar[str] = "结算行已支付"
    en: ClassVar[str] = "bill line paid"

    line_id: int
    statement_id: int
    payer_id: int
    payee_id: int
    month: int
    amount_fen: int
    late: bool


EVENTS = (
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
    ObjectionAnswered,
    StatementOverdue,
    StatementPostponed,
    LinePaid,
)
