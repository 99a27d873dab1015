"""What may be said to settlement, what happened, what a statement is made of, and the refusals."""

from enum import IntEnum, StrEnum
from typing import ClassVar

from shudian.contracts.roles import ALL_KINDS, Kind, Role
from shudian.kernel import fields
from shudian.kernel.codec import Record
from shudian.kernel.messages import MEMBERS, PUBLIC, Authority, Event, Message, Setting
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refusal, Reply
from shudian.kernel.units import SEGMENTS_PER_DAY

MEMBERS_MAX_COUNT = 2_000
PRICE_LIMIT_MYUAN_MWH = 100_000_000
QUANTITY_MAX_KWH = 10**9
_TARIFF_MAX_E8YUAN_KWH = 1_000_000_000
_PPM_MAX = 10_000_000


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


# ------------------------------------------------------------------------------------------------------------------ settings

SETTINGS = (
    Setting(
        "settlement.rule_code",
        1,
        4,
        "偏差结算规则（1 双结算，2 单结算，4 月度偏差）",
        "deviation rule (1 F1, 2 F2, 4 F4)",
        scoped=True,
    ),
    Setting("settlement.spot_floor_myuan_mwh", -PRICE_LIMIT_MYUAN_MWH, 0, "参考价下限", "lowest reference price"),
    Setting("settlement.spot_cap_myuan_mwh", 0, PRICE_LIMIT_MYUAN_MWH, "参考价上限", "highest reference price"),
    Setting("settlement.clearing_day_count", 1, 31, "日清期限（自然日）", "days for daily clearing"),
    Setting(
        "settlement.issue_working_day_count", 1, 31, "结算依据发布期限（工作日）", "working days to issue statements"
    ),
    Setting("settlement.objection_working_day_count", 1, 31, "异议期限（工作日）", "working days to object"),
    Setting(
        "settlement.answer_working_day_count", 1, 31, "异议答复期限（工作日）", "working days to answer an objection"
    ),
    Setting("settlement.due_working_day_count", 1, 60, "付款期限（发布后工作日）", "working days to pay after issue"),
    Setting("settlement.f4_over_ppm", 0, _PPM_MAX, "超用免考核带", "band above contract energy"),
    Setting("settlement.f4_under_ppm", 0, 1_000_000, "少用免考核带", "band below contract energy"),
    Setting("settlement.f4_assessment_ppm", 0, _PPM_MAX, "少用考核比例", "assessment of energy short"),
    Setting("settlement.purchase_e8yuan_kwh", 0, _TARIFF_MAX_E8YUAN_KWH, "代理购电价格", "agency purchase price"),
    Setting("settlement.loss_e8yuan_kwh", 0, _TARIFF_MAX_E8YUAN_KWH, "上网环节线损费用", "upstream loss"),
    Setting("settlement.system_e8yuan_kwh", 0, _TARIFF_MAX_E8YUAN_KWH, "系统运行费", "system operation"),
    Setting("settlement.levy_e8yuan_kwh", 0, _TARIFF_MAX_E8YUAN_KWH, "政府性基金及附加", "government funds"),
    Setting(
        "settlement.transmission_e8yuan_kwh", 0, _TARIFF_MAX_E8YUAN_KWH, "输配电量电价", "T&D energy price", scoped=True
    ),
    Setting("settlement.demand_fen_kw", 0, 1_000_000, "需量电价", "demand price per month", scoped=True),
    Setting("settlement.capacity_fen_kva", 0, 1_000_000, "容量电价", "capacity price per month", scoped=True),
    Setting(
        "settlement.tou_k_ppm", 0, _PPM_MAX, "尖峰、高峰、平段、低谷浮动系数", "k of tip, peak, flat, valley", count=4
    ),
    Setting("settlement.season_code", 1, 3, "各月季别（1 春秋 2 夏 3 冬）", "season by month", count=12),
    Setting(
        "settlement.period_code", 1, 3, "各时段（1 高峰 2 平段 3 低谷）", "period by segment", count=24, scoped=True
    ),
    Setting("settlement.tip_segment", 0, 23, "尖峰时段", "segments of the tip window", count=0),
    Setting("settlement.tip_month", 1, 12, "全月执行尖峰的月份", "months with tip every day", count=0),
    Setting(
        "settlement.tip_hot_day", 19_700_101, 99_991_231, "日最高气温达 35 ℃ 的日期", "days of 35 C or more", count=0
    ),
    Setting("settlement.tip_exempt_region_code", 100_000, 999_999, "不执行尖峰的市州", "regions without tip", count=0),
)


# ------------------------------------------------------------------------------------------------------------------ messages


def _operator(when_zh: str, when_en: str, sees: str = PUBLIC) -> Authority:
    return Authority(kinds=(Kind.EXCHANGE,), role=Role.OPERATOR, sees=sees, when_zh=when_zh, when_en=when_en)


def _finance(when_zh: str, when_en: str) -> Authority:
    return Authority(kinds=ALL_KINDS, role=Role.FINANCE, when_zh=when_zh, when_en=when_en, active_only=False)


class PublishReferencePrices(Message):
    """Publish the prices of a day by segment, all in milli-yuan per MWh; again before the day is cleared it is a correction.

    day_ahead_myuan_mwh Pda, real_time_myuan_mwh Prt: spot prices. market_myuan_mwh: average contract price of the market.
    """

    authority: ClassVar[Authority] = _operator("该日不在未来且未清算", "the day is not in the future nor cleared")

    day: int
    day_ahead_myuan_mwh: tuple[int, ...]
    real_time_myuan_mwh: tuple[int, ...]
    market_myuan_mwh: tuple[int, ...]

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.day("day", self.day)
        for name in ("day_ahead_myuan_mwh", "real_time_myuan_mwh", "market_myuan_mwh"):
            values = getattr(self, name)
            fields.wholes(name, values, SEGMENTS_PER_DAY, -PRICE_LIMIT_MYUAN_MWH, PRICE_LIMIT_MYUAN_MWH)


class PublishRegulationPrices(Message):
    """Publish what F4 needs for a month: up-regulation price, top increment price, whether down-regulation was called."""

    authority: ClassVar[Authority] = _operator("该月结算单未发布", "the month's statements are not issued")

    month: int
    up_myuan_mwh: int
    increment_top_myuan_mwh: int
    down_called: bool

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.month("month", self.month)
        fields.whole("up_myuan_mwh", self.up_myuan_mwh, 0, PRICE_LIMIT_MYUAN_MWH)
        fields.whole("increment_top_myuan_mwh", self.increment_top_myuan_mwh, 0, PRICE_LIMIT_MYUAN_MWH)


class PublishDayAhead(Message):
    """Publish the day-ahead awards of members for F1, 24 segments per member one after the other.

    quantities_kwh: positive takes energy from the grid, negative delivers. Again before the day is cleared it is a correction.
    """

    authority: ClassVar[Authority] = _operator(
        "该日未清算、会员存在", "the day is not cleared, the members exist", MEMBERS
    )

    day: int
    member_ids: tuple[int, ...]
    quantities_kwh: tuple[int, ...]

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.day("day", self.day)
        fields.count("member_ids", self.member_ids, 1, MEMBERS_MAX_COUNT)
        fields.rising("member_ids", self.member_ids)
        wanted = len(self.member_ids) * SEGMENTS_PER_DAY
        fields.wholes("quantities_kwh", self.quantities_kwh, wanted, -QUANTITY_MAX_KWH, QUANTITY_MAX_KWH)


class ClearDay(Message):
    """Clear a day 日清: price what the agreements delivered and what members used or produced beside them."""

    authority: ClassVar[Authority] = _operator(
        "次日起；参考价与全部计量数据齐备；未清算",
        "the day is over, reference prices and all readings are there, not cleared yet",
    )

    day: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.day("day", self.day)


class IssueStatements(Message):
    """Issue the statements of a month 月结 to members; the first time all lines of the month are made, each once for both sides."""

    authority: ClassVar[Authority] = _operator(
        "该月每日均已清算，且未发布过", "every day of the month is cleared; not issued to them yet"
    )

    month: int
    member_ids: tuple[int, ...]

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.month("month", self.month)
        fields.count("member_ids", self.member_ids, 1, MEMBERS_MAX_COUNT)
        fields.rising("member_ids", self.member_ids)


class AcceptStatement(Message):
    """Accept a statement before silence does; no objection is possible afterwards."""

    authority: ClassVar[Authority] = _finance("本方结算单，未确认", "the member's own statement, not accepted yet")

    statement_id: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("statement_id", self.statement_id, 1, 2**62)


class ObjectToLine(Message):
    """Object to a line of an own statement: what it should be, the digest of the evidence, the reason."""

    authority: ClassVar[Authority] = _finance(
        "本方结算单未确认、异议期内、该行未被异议", "own statement, not accepted, in time, first objection"
    )

    line_id: int
    claimed_fen: int
    evidence: bytes
    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("line_id", self.line_id, 1, 2**62)
        fields.whole("claimed_fen", self.claimed_fen, 0, fields.AMOUNT_MAX)
        fields.digest("evidence", self.evidence)
        fields.text("reason", self.reason, 500)


class AnswerObjection(Message):
    """Decide an objection: dismiss it, or uphold it with the amount that is right between the same sides (0 if dismissed)."""

    authority: ClassVar[Authority] = _operator("异议未答复", "the objection waits for its answer", sees="parties")

    objection_id: int
    upheld: bool
    corrected_fen: int
    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("objection_id", self.objection_id, 1, 2**62)
        fields.whole("corrected_fen", self.corrected_fen, 0, fields.AMOUNT_MAX)
        fields.text("reason", self.reason, 500)
        if self.corrected_fen and not self.upheld:
            raise FIELD_NOT_ALLOWED("corrected_fen", self.corrected_fen, "0 when dismissed")


class PayStatement(Message):
    """Pay every line that can be paid of an own statement, in one linked group: delivery versus payment, all or nothing.

    A line can be paid once both its sides accepted their statements and no objection to it is open.
    """

    authority: ClassVar[Authority] = _finance(
        "本方结算单已确认、有可付行、可用资金足", "own statement accepted, a line to pay, funds enough"
    )

    statement_id: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("statement_id", self.statement_id, 1, 2**62)


# ------------------------------------------------------------------------------------------------------------------ replies


class ClearingReply(Reply):
    """What was cleared."""

    member_count: int
    agreement_count: int


class StatementsReply(Reply):
    """The statements in the order of the members asked for."""

    statement_ids: tuple[int, ...]


class ObjectionReply(Reply):
    """The objection's id."""

    objection_id: int


class PaymentReply(Reply):
    """What was paid. late: after the due day."""

    line_count: int
    amount_fen: int
    late: bool


# ------------------------------------------------------------------------------------------------------------------ events


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
REPLIES = (ClearingReply, StatementsReply, ObjectionReply, PaymentReply)

# ------------------------------------------------------------------------------------------------------------------ refusals

DAY_NOT_OVER = Refusal(10001, "day_not_over", "该日尚未结束", "the day is not over", 409, retry=True)
DAY_IS_CLEARED = Refusal(10002, "day_is_cleared", "该日已清算", "the day is cleared already", 409)
PRICE_OUT_OF_BOUNDS = Refusal(10003, "price_out_of_bounds", "价格超出上下限", "a price is outside its bounds")
REFERENCE_PRICES_MISSING = Refusal(
    10004, "reference_prices_missing", "该日参考价未发布", "the day has no reference prices yet", 409, retry=True
)
DAY_AHEAD_MISSING = Refusal(
    10005, "day_ahead_missing", "会员该日无日前出清量", "a member has no day-ahead award for the day", 409, retry=True
)
RULES_DO_NOT_FIT = Refusal(
    10006,
    "rules_do_not_fit",
    "偏差结算规则不可并用",
    "the deviation rules of the month do not fit together",
    409,
    retry=True,
)
MONTH_NOT_CLEARED = Refusal(
    10007, "month_not_cleared", "该月有未清算日", "a day of the month is not cleared", 409, retry=True
)
REGULATION_PRICES_MISSING = Refusal(
    10008, "regulation_prices_missing", "该月调节价格未发布", "the month has no regulation prices yet", 409, retry=True
)
MONTH_IS_ISSUED = Refusal(
    10009, "month_is_issued", "该月结算单已发布", "statements of the month are issued already", 409
)
STATEMENT_EXISTS = Refusal(
    10010, "statement_exists", "该会员该月结算单已发布", "the member's statement is issued already", 409
)
MEMBER_HAS_NO_DAY_BILLS = Refusal(
    10011, "member_has_no_day_bills", "该会员该月没有日清单", "the member has no day bills in the month"
)
STATEMENT_UNKNOWN = Refusal(10012, "statement_unknown", "没有这份结算单", "there is no such statement", 404)
NOT_OWN_STATEMENT = Refusal(10013, "not_own_statement", "不是本方的结算单", "the statement is another member's", 403)
STATEMENT_IS_ACCEPTED = Refusal(
    10014, "statement_is_accepted", "结算单已确认", "the statement is accepted already", 409
)
STATEMENT_NOT_ACCEPTED = Refusal(
    10015, "statement_not_accepted", "结算单未确认", "the statement is not accepted yet", 409, retry=True
)
LINE_UNKNOWN = Refusal(10016, "line_unknown", "没有这一结算行", "there is no such line", 404)
NOT_OWN_LINE = Refusal(10017, "not_own_line", "不是本方的结算行", "the line is between other members", 403)
OBJECTION_TOO_LATE = Refusal(10018, "objection_too_late", "异议期已过", "the period to object is over", 409)
LINE_WAS_OBJECTED = Refusal(10019, "line_was_objected", "该行已被异议过", "the line was objected to before", 409)
OBJECTION_UNKNOWN = Refusal(10020, "objection_unknown", "没有这项异议", "there is no such objection", 404)
OBJECTION_IS_ANSWERED = Refusal(10021, "objection_is_answered", "异议已答复", "the objection is answered already", 409)
NOTHING_TO_PAY = Refusal(10022, "nothing_to_pay", "没有可付的结算行", "no line can be paid now", 409, retry=True)

REFUSALS = (
    DAY_NOT_OVER,
    DAY_IS_CLEARED,
    PRICE_OUT_OF_BOUNDS,
    REFERENCE_PRICES_MISSING,
    DAY_AHEAD_MISSING,
    RULES_DO_NOT_FIT,
    MONTH_NOT_CLEARED,
    REGULATION_PRICES_MISSING,
    MONTH_IS_ISSUED,
    STATEMENT_EXISTS,
    MEMBER_HAS_NO_DAY_BILLS,
    STATEMENT_UNKNOWN,
    NOT_OWN_STATEMENT,
    STATEMENT_IS_ACCEPTED,
    STATEMENT_NOT_ACCEPTED,
    LINE_UNKNOWN,
    NOT_OWN_LINE,
    OBJECTION_TOO_LATE,
    LINE_WAS_OBJECTED,
    OBJECTION_UNKNOWN,
    OBJECTION_IS_ANSWERED,
    NOTHING_TO_PAY,
)
