"""What may be said to guarantees, what stands in them, the settings and the refusals.

Basis: Sichuan notice of 2022-01-05 on performance guarantees of retailers 售电公司履约保函 (required amount), 《电力市场计量结算基本规则》
2025 (the exchange and the grid company may draw when a payer is overdue).
"""

from enum import StrEnum
from typing import ClassVar

from shudian.contracts.roles import TRADING_KINDS, Kind, Role
from shudian.kernel import fields
from shudian.kernel.codec import Record
from shudian.kernel.messages import Authority, Message, Setting
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refusal, Reply

ID_MAX = 2**62
NUMBER_LONGEST = 60
REASON_LONGEST = 500
DEED_LONGEST = 80
GRADE_LONGEST = 8
ENERGY_MAX_KWH = 10**13
_PPM_MAX = 10_000_000
_PRICE_MAX_MYUAN_MWH = 100_000_000


class Instrument(StrEnum):
    """Kinds of guarantee."""

    LETTER = "letter"
    """履约保函, payable on demand."""
    INSURANCE = "insurance"
    """履约保险, paid through the bank that confirms it."""


class State(StrEnum):
    """Life of a guarantee."""

    SUBMITTED = "submitted"
    REJECTED = "rejected"
    ACTIVE = "active"
    RELEASED = "released"
    EXPIRED = "expired"


class Guarantee(Record):
    """A guarantee for what a member owes in the market.

    member_id: for whom. bank_id: who confirms and pays. instrument, number: of the paper. document: its 32-byte digest. amount_fen: in all.
    first_day, last_day: valid from and to, both included. drawn_fen: paid on it so far. state: see there.
    """

    member_id: int
    bank_id: int
    instrument: Instrument
    number: str
    document: bytes
    amount_fen: int
    first_day: int
    last_day: int
    drawn_fen: int = 0
    state: State = State.SUBMITTED

    @property
    def open_fen(self) -> int:
        """What can still be drawn."""
        return self.amount_fen - self.drawn_fen


class Line(Record):
    """A member's exposure line.

    required_fen: what it must provide; 0 means that it need not and is not watched. available_fen: of its active guarantees. exposure_fen: what it has taken on. warned: at or over the warning share, told once until it falls below again.
    """

    required_fen: int = 0
    available_fen: int = 0
    exposure_fen: int = 0
    warned: bool = False


# ------------------------------------------------------------------------------------------------------------------ settings

SETTINGS = (
    Setting(
        "guarantees.year_myuan_mwh",
        0,
        _PRICE_MAX_MYUAN_MWH,
        "近12个月批发电量保函标准",
        "per MWh of a year's wholesale energy",
    ),
    Setting(
        "guarantees.two_months_myuan_mwh",
        0,
        _PRICE_MAX_MYUAN_MWH,
        "近2个月电量保函标准",
        "per MWh of two months' energy",
    ),
    Setting("guarantees.grade_factor_ppm", 0, _PPM_MAX, "信用评价系数", "factor of a credit grade", scoped=True),
    Setting("guarantees.warning_ppm", 1, 1_000_000, "占用预警比例", "share of the line at which to warn"),
)


# ------------------------------------------------------------------------------------------------------------------ messages


class RegisterGuarantee(Message):
    """Register a guarantee; it counts once the bank has confirmed it. See :class:`Guarantee` for the fields."""

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.FINANCE,
        when_zh="出具银行为正常成员，编号未登记，有效期未过",
        when_en="the issuing bank is a member in good standing, the number is new, the term is not over",
    )

    bank_id: int
    instrument: Instrument
    number: str
    document: bytes
    amount_fen: int
    first_day: int
    last_day: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("bank_id", self.bank_id, 1, ID_MAX)
        fields.text("number", self.number, NUMBER_LONGEST)
        fields.digest("document", self.document)
        fields.whole("amount_fen", self.amount_fen, 1, fields.AMOUNT_MAX)
        fields.day("first_day", self.first_day)
        fields.day("last_day", self.last_day)
        if self.last_day < self.first_day:
            raise FIELD_NOT_ALLOWED("last_day", self.last_day, f">= {self.first_day}")


class AnswerGuarantee(Message):
    """Confirm a guarantee, or say that it is not the bank's. Said by the bank that it names."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.BANK,),
        role=Role.FINANCE,
        when_zh="本行为出具银行、待确认",
        when_en="the sender is the issuing bank and has not answered",
    )

    guarantee_id: int
    confirmed: bool
    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("guarantee_id", self.guarantee_id, 1, ID_MAX)
        fields.text("reason", self.reason, REASON_LONGEST, int(not self.confirmed))


class SetRequirement(Message):
    """Set what a member must provide, from its energy and credit grade; the amount follows by rule. Said by the exchange.

    year_kwh: wholesale of the past 12 months. wholesale_kwh, retail_kwh: of the past two months; forecasts where there is no history.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,), role=Role.OPERATOR, when_zh="成员为市场主体", when_en="the member is one that trades"
    )

    member_id: int
    year_kwh: int
    wholesale_kwh: int
    retail_kwh: int
    grade: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("member_id", self.member_id, 1, ID_MAX)
        for name in ("year_kwh", "wholesale_kwh", "retail_kwh"):
            fields.whole(name, getattr(self, name), 0, ENERGY_MAX_KWH)
        fields.text("grade", self.grade, GRADE_LONGEST, 0)


class DrawGuarantee(Message):
    """Draw on a guarantee for an overdue debt: the bank's cash pays the creditor at once. Said by the grid company or the exchange.

    creditor_id: who is paid. claim_deed: what is overdue, ``statement:12``. evidence: digest of the demand.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.GRID_COMPANY, Kind.EXCHANGE),
        role=Role.FINANCE,
        when_zh="保函生效、在有效期内、余额足；被保证人逾期",
        when_en="the guarantee is active, in its term, with enough left; its member is overdue",
    )

    guarantee_id: int
    creditor_id: int
    amount_fen: int
    claim_deed: str
    evidence: bytes

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("guarantee_id", self.guarantee_id, 1, ID_MAX)
        fields.whole("creditor_id", self.creditor_id, 1, ID_MAX)
        fields.whole("amount_fen", self.amount_fen, 1, fields.AMOUNT_MAX)
        fields.text("claim_deed", self.claim_deed, DEED_LONGEST)
        fields.digest("evidence", self.evidence)


class ReleaseGuarantee(Message):
    """Release a guarantee that the exposure does not need. Said by the exchange."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,),
        role=Role.OPERATOR,
        when_zh="保函生效、解除后仍覆盖占用与应缴额",
        when_en="the guarantee is active; what remains covers exposure and requirement",
    )

    guarantee_id: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("guarantee_id", self.guarantee_id, 1, ID_MAX)


class GuaranteeReply(Reply):
    """The guarantee's number."""

    guarantee_id: int


class RequirementReply(Reply):
    """What the member must provide, and what of it is missing."""

    required_fen: int
    missing_fen: int


REPLIES: tuple[type[Reply], ...] = (GuaranteeReply, RequirementReply)


# ------------------------------------------------------------------------------------------------------------------ refusals

GUARANTEE_UNKNOWN = Refusal(5001, "guarantee_unknown", "没有这份保函", "there is no such guarantee", 404)
NUMBER_IS_USED = Refusal(
    5002, "number_is_used", "该行的这一保函编号已登记", "the bank's number is registered already", 409
)
TERM_IS_OVER = Refusal(5003, "term_is_over", "保函有效期已过", "the term is over")
NOT_THE_ISSUER = Refusal(5004, "not_the_issuer", "不是出具银行", "the sender is not the issuing bank", 403)
NOT_SUBMITTED = Refusal(5005, "not_submitted", "保函不在待确认状态", "the guarantee does not wait for its bank", 409)
NOT_ACTIVE = Refusal(5006, "not_active", "保函未生效或已终止", "the guarantee is not active", 409)
TERM_NOT_BEGUN = Refusal(5007, "term_not_begun", "保函有效期未开始", "the term has not begun", 409, retry=True)
DRAW_OVER_OPEN = Refusal(5008, "draw_over_open", "索赔超过保函余额", "more is drawn than is left")
CREDITOR_IS_THE_MEMBER = Refusal(
    5009,
    "creditor_is_the_member",
    "受益人不得为被保证人或出具银行",
    "the guarantee pays neither its member nor its bank",
)
GUARANTEE_IS_NEEDED = Refusal(
    5010,
    "guarantee_is_needed",
    "解除后不足以覆盖",
    "what remains would not cover exposure and requirement",
    409,
    retry=True,
)
LINE_IS_FULL = Refusal(5011, "line_is_full", "保函额度不足，不得新增购电", "the exposure line is full", 409, retry=True)

REFUSALS: tuple[Refusal, ...] = (
    GUARANTEE_UNKNOWN,
    NUMBER_IS_USED,
    TERM_IS_OVER,
    NOT_THE_ISSUER,
    NOT_SUBMITTED,
    NOT_ACTIVE,
    TERM_NOT_BEGUN,
    DRAW_OVER_OPEN,
    CREDITOR_IS_THE_MEMBER,
    GUARANTEE_IS_NEEDED,
    LINE_IS_FULL,
)
MESSAGES: tuple[type[Message], ...] = (
    RegisterGuarantee,
    AnswerGuarantee,
    SetRequirement,
    DrawGuarantee,
    ReleaseGuarantee,
)
