"""What may be said to settlement and what it answers; events and refusals stand beside it.

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
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Reply, both
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


class ReclearDay(Message):
    """Clear a cleared day anew once readings were corrected; if the month's lines are made, differences are billed later 退补."""

    authority: ClassVar[Authority] = _operator(
        "该日已清算、计量数据有更正", "the day is cleared and readings have changed since"
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


class RequestMediation(Message):
    """Ask the regulator to mediate, either side of the line, after the exchange's answer (domain 4.7)."""

    authority: ClassVar[Authority] = _finance(
        "本方结算行的异议已答复、期限内", "the objection to an own line is answered, in time"
    )

    objection_id: int
    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("objection_id", self.objection_id, 1, 2**62)
        fields.text("reason", self.reason, 500)


class DecideMediation(Message):
    """End a mediation with the amount that the line should have between the same sides; final on the platform."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.REGULATOR,),
        role=Role.OFFICER,
        when_zh="异议在调解中",
        when_en="the objection is in mediation",
    )

    objection_id: int
    decided_fen: int
    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("objection_id", self.objection_id, 1, 2**62)
        fields.whole("decided_fen", self.decided_fen, 0, fields.AMOUNT_MAX)
        fields.text("reason", self.reason, 500)


class PayStatement(Message):
    """Pay every line that can be paid of an own statement, in one linked group: delivery versus payment, all or nothing.

    A line can be paid once both its sides accepted their statements. provisional: pay lines with an open objection too (domain 4.7); if it
    is upheld later, the difference comes back in a later month.
    """

    authority: ClassVar[Authority] = _finance(
        "本方结算单已确认、有可付行、可用资金足", "own statement accepted, a line to pay, funds enough"
    )

    statement_id: int
    provisional: bool = False

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("statement_id", self.statement_id, 1, 2**62)


class ClearingReply(Reply):
    """What was cleared."""

    member_count: int
    agreement_count: int


class ReclearingReply(Reply):
    """Whose day bill changed, and the lines of differences if the month's lines were made."""

    member_count: int
    line_ids: tuple[int, ...]


class StatementsReply(Reply):
    """The statements in the order of the members asked for."""

    statement_ids: tuple[int, ...]


class ObjectionReply(Reply):
    """The objection's id."""

    objection_id: int


class PaymentReply(Reply):
    """What was paid: own lines and their total, less what the other sides owed where netting is on. late: after the due day."""

    line_count: int
    amount_fen: int
    netted_fen: int
    late: bool


REPLIES: tuple[type[Reply], ...] = (ClearingReply, ReclearingReply, StatementsReply, ObjectionReply, PaymentReply)
MESSAGES: tuple[type[Message], ...] = (
    PublishReferencePrices,
    PublishRegulationPrices,
    PublishDayAhead,
    ClearDay,
    ReclearDay,
    IssueStatements,
    AcceptStatement,
    ObjectToLine,
    AnswerObjection,
    RequestMediation,
    DecideMediation,
    PayStatement,
)
