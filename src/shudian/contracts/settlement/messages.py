"""What may be said to settlement, what it answers, and its refusals.

What statements are made of stands in ``messages_facts``; ``__all__`` names it here too, so that one import serves.
"""

from typing import ClassVar

from shudian.contracts.roles import ALL_KINDS, Kind, Role
from shudian.contracts.settlement.messages_facts import (
    BillLine,
    Formula,
    LineExplanation,
    LineKind,
    LineState,
    ObjectionState,
    Period,
    RuleCode,
    Statement,
    StatementState,
)
from shudian.contracts.settlement.messages_settings import PRICE_LIMIT_MYUAN_MWH
from shudian.kernel import fields
from shudian.kernel.messages import MEMBERS, PUBLIC, Authority, Message
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refusal, Reply, both
from shudian.kernel.units import SEGMENTS_PER_DAY

__all__ = [
    "BillLine",
    "Formula",
    "LineExplanation",
    "LineKind",
    "LineState",
    "ObjectionState",
    "Period",
    "RuleCode",
    "Statement",
    "StatementState",
]

MEMBERS_MAX_COUNT = 2_000
QUANTITY_MAX_KWH = 10**9


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
            raise FIELD_NOT_ALLOWED("corrected_fen", self.corrected_fen, both("驳回时为 0", "0 when dismissed"))


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


REPLIES = (ClearingReply, StatementsReply, ObjectionReply, PaymentReply)

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
