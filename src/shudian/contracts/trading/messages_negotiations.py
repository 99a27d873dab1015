"""Bilateral negotiation 双边协商 (domain 3.4): what may be said, what it answers, what happened, and the refusals."""

from enum import StrEnum
from typing import ClassVar

from shudian.clearing.auction_rules import PRICE_LIMIT_MYUAN_MWH
from shudian.contracts.agreements.messages import MIN_OF_THREE, GreenTerms, Terms
from shudian.contracts.roles import TRADING_KINDS, Kind, Role
from shudian.contracts.trading.messages import ORDER_LIMIT_KWH, SETTLEMENT_POINT, TIME_LIMIT_MS, Product, Side
from shudian.kernel import fields
from shudian.kernel.codec import Record
from shudian.kernel.messages import Authority, Event, Message, Setting
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refusal, Reply, both
from shudian.kernel.units import SEGMENTS_PER_DAY, SLOTS_PER_DAY

OPEN_TO_ALL = 0
"""Counterparty of an offer that anybody on the other side may join."""
ALL = -1
"""In ReviewSecurity: all that was signed can be delivered."""
REVIEW_MAX_COUNT = 500

_CURVE_COUNTS = (1, SEGMENTS_PER_DAY, SLOTS_PER_DAY)
_PRICE_COUNTS = (1, SEGMENTS_PER_DAY)


class Typical(StrEnum):
    """Typical curves 典型曲线 by which a plain quantity spreads over the hours (domain 3.10); the parts are a dated setting."""

    OWN = ""
    """The proposal states its own curve."""
    FLAT = "flat"
    INDUSTRY = "industry"
    TIME_OF_USE = "time_of_use"


class NegotiationEnd(StrEnum):
    """How a negotiation ended without an agreement."""

    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    """Its time passed before both had signed, or delivery began before the security check."""
    NOT_SECURE = "not_secure"
    """The security check left nothing of it."""


class CutRule(StrEnum):
    """How a security limit is shared among what was signed (domain 3.4)."""

    PRO_RATA = "pro_rata"
    """By signed energy."""
    FIRST_COME = "first_come"
    """Whole, in the order of the second signatures, as far as the limit reaches."""


class Proposal(Record):
    """What is offered, whoever the other side will be.

    product: scope of the market's numbers. first_day, last_day: period of delivery. curve_kwh: over the whole period, 24
    hours, 96 quarter hours, or one quantity with ``typical`` naming the curve it is decomposed by. prices_myuan_mwh: 24, or
    one for every hour. settlement_point: where the price holds. green: of green power, else None.
    """

    product: Product
    first_day: int
    last_day: int
    curve_kwh: tuple[int, ...]
    typical: Typical
    prices_myuan_mwh: tuple[int, ...]
    settlement_point: str = SETTLEMENT_POINT
    green: GreenTerms | None = None

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.day("first_day", self.first_day)
        fields.day("last_day", self.last_day)
        fields.whole("last_day", self.last_day, self.first_day, 99_991_231)
        _one_count("curve_kwh", len(self.curve_kwh), _CURVE_COUNTS)
        fields.wholes("curve_kwh", self.curve_kwh, len(self.curve_kwh), 0, ORDER_LIMIT_KWH)
        fields.whole("curve_kwh", sum(self.curve_kwh), 1, SEGMENTS_PER_DAY * ORDER_LIMIT_KWH)
        if (len(self.curve_kwh) == 1) is (self.typical is Typical.OWN):
            raise FIELD_NOT_ALLOWED(
                "typical",
                self.typical,
                both("单一电量须选典型曲线，24 或 96 点不选", "a typical curve with one quantity, none with 24 or 96"),
            )
        _one_count("prices_myuan_mwh", len(self.prices_myuan_mwh), _PRICE_COUNTS)
        for place, price in enumerate(self.prices_myuan_mwh):
            fields.whole(f"prices_myuan_mwh[{place}]", price, -PRICE_LIMIT_MYUAN_MWH, PRICE_LIMIT_MYUAN_MWH)
        fields.one_of("settlement_point", self.settlement_point, (SETTLEMENT_POINT,))
        if self.green is not None:
            green = self.green
            fields.whole("green.environmental_myuan_mwh", green.environmental_myuan_mwh, 0, PRICE_LIMIT_MYUAN_MWH)
            fields.whole("green.compensation_myuan_mwh", green.compensation_myuan_mwh, 0, PRICE_LIMIT_MYUAN_MWH)
            fields.one_of("green.volume_rule", green.volume_rule, (MIN_OF_THREE,))


def _one_count(name: str, count: int, allowed: tuple[int, ...]) -> None:
    if count not in allowed:
        counts = " | ".join(map(str, allowed))
        raise FIELD_NOT_ALLOWED(name, both(f"{count} 项", f"{count} items"), both(f"{counts} 项", f"{counts} items"))


SECOND_SIGNER = "trading.second_signer_from_fen"
SETTINGS = (
    Setting(
        SECOND_SIGNER,
        0,
        fields.AMOUNT_MAX,
        "签约双人复核起点金额",
        "value from which signing terms takes four eyes",
        source="平台设计参数",
    ),
    Setting(
        "trading.curve_parts_count",
        0,
        1_000_000,
        "典型曲线各时段份数",
        "parts of each hour in a typical curve",
        count=SEGMENTS_PER_DAY,
        scoped=True,
        source="平台设计参数：典型曲线（domain 3.10）",
    ),
)


class OfferTerms(Message):
    """Open a negotiation with a first version of terms; the offer itself binds nobody until both have signed.

    side: what the sender does. counterparty_id: a member, or OPEN_TO_ALL. expires_ms: until when it may be signed.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.TRADER,
        when_zh="价格在限价内，交割尚未开始，对方可以交易该方向",
        when_en="prices within the band, delivery still to come, the counterparty trades the other side",
    )

    side: Side
    counterparty_id: int
    proposal: Proposal
    expires_ms: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("counterparty_id", self.counterparty_id, OPEN_TO_ALL, 2**53)
        fields.whole("expires_ms", self.expires_ms, 0, TIME_LIMIT_MS)
        self.proposal.check()


class CounterTerms(Message):
    """Answer with terms of one's own: a new version, which voids the last one and every signature under it."""

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.TRADER,
        when_zh="协商的一方，或公开要约的响应方；双方尚未都签署",
        when_en="a side of the negotiation or whoever joins an open one; not both have signed",
    )

    negotiation_id: int
    proposal: Proposal
    expires_ms: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("expires_ms", self.expires_ms, 0, TIME_LIMIT_MS)
        self.proposal.check()


class WithdrawTerms(Message):
    """End a negotiation that not both have signed."""

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.TRADER,
        when_zh="协商的一方，双方尚未都签署",
        when_en="a side of the negotiation; not both have signed",
    )

    negotiation_id: int


class SignTerms(Message):
    """Sign the exact terms of the current version; the second signature makes them binding, subject to the security check.

    terms_hash: SHA-256 of the canonical bytes of the terms with both members named. value_fen: their value, which the
    four-eyes band looks at.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.TRADER,
        second_signer_setting=SECOND_SIGNER,
        when_zh="协商的一方；双方状态正常、持仓在能力内、可用资金足以担保",
        when_en="a side of the negotiation; both in good standing, position within capability, free funds cover the collateral",
    )

    negotiation_id: int
    terms_hash: bytes
    value_fen: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.digest("terms_hash", self.terms_hash)

    def band_fen(self) -> int:
        """The value of the terms."""
        return abs(self.value_fen)


class ReviewSecurity(Message):
    """Security check 安全校核 of signed terms: passed, or cut together to what the grid can carry.

    negotiation_ids: rising. allowed_kwh: for all of them together, or ALL. cut_rule: how a limit is shared. reason: of a cut.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.GRID_COMPANY,),
        role=Role.DISPATCHER,
        when_zh="各项均已由双方签署，双方状态正常；削减须说明原因",
        when_en="each is signed by both, both in good standing; a cut has its reason",
    )

    negotiation_ids: tuple[int, ...]
    allowed_kwh: int = ALL
    cut_rule: CutRule = CutRule.PRO_RATA
    reason: str = ""

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.count("negotiation_ids", self.negotiation_ids, 1, REVIEW_MAX_COUNT)
        fields.rising("negotiation_ids", self.negotiation_ids)
        fields.whole("allowed_kwh", self.allowed_kwh, ALL, fields.AMOUNT_MAX)
        fields.text("reason", self.reason, 200, 0 if self.allowed_kwh == ALL else 1)


class NegotiationReply(Reply):
    """Answer to OfferTerms and CounterTerms. terms_hash, value_fen: of the version; an open one has no counterparty in it yet."""

    negotiation_id: int
    version_no: int
    terms_hash: bytes
    value_fen: int


class SignReply(Reply):
    """Answer to SignTerms and SignTransfer. agreement_id: 0 while something is missing. free_fen: funds left free."""

    agreement_id: int
    free_fen: int


class TermsOffered(Event):
    """A version of terms lies on the table; the last one is void. by_id: who offers it. seller_id or buyer_id 0: still open."""

    step: ClassVar[str] = "offered"
    zh: ClassVar[str] = "条款已提出"
    en: ClassVar[str] = "terms offered"

    negotiation_id: int
    version_no: int
    by_id: int
    seller_id: int
    buyer_id: int
    terms: Terms
    terms_hash: bytes
    value_fen: int
    expires_ms: int


class TermsSigned(Event):
    """A side signed the exact terms. is_second: now both have, and the security check follows."""

    step: ClassVar[str] = "signed"
    zh: ClassVar[str] = "条款已签署"
    en: ClassVar[str] = "terms signed"

    negotiation_id: int
    version_no: int
    by_id: int
    seller_id: int
    buyer_id: int
    terms_hash: bytes
    is_second: bool


class SecurityReviewed(Event):
    """The dispatcher checked signed terms. signed_kwh: what was signed. allowed_kwh: what passed."""

    step: ClassVar[str] = "checked"
    zh: ClassVar[str] = "安全校核完成"
    en: ClassVar[str] = "security checked"

    negotiation_id: int
    signed_kwh: int
    allowed_kwh: int
    cut_rule: CutRule
    reason: str


class NegotiationConcluded(Event):
    """The terms, as cut by the security check, are an agreement."""

    step: ClassVar[str] = "effective"
    zh: ClassVar[str] = "协商达成，合同生效"
    en: ClassVar[str] = "effective as an agreement"

    negotiation_id: int
    agreement_id: int


class NegotiationEnded(Event):
    """A negotiation ended without an agreement."""

    step: ClassVar[str] = "ended"
    zh: ClassVar[str] = "协商结束，未成交"
    en: ClassVar[str] = "ended without an agreement"

    negotiation_id: int
    end: NegotiationEnd


NEGOTIATION_UNKNOWN = Refusal(9021, "negotiation_unknown", "没有这项进行中的协商", "there is no such negotiation", 404)
NEGOTIATION_OF_OTHERS = Refusal(
    9022, "negotiation_of_others", "不是该协商的一方", "the negotiation is between others", 403
)
BOTH_HAVE_SIGNED = Refusal(9023, "both_have_signed", "双方均已签署，等待安全校核", "both have signed already", 409)
COUNTERPARTY_DOES_NOT_FIT = Refusal(
    9024,
    "counterparty_does_not_fit",
    "对方不能交易该方向",
    "the counterparty is another member that trades the other side",
)
TERMS_DIFFER = Refusal(
    9025, "terms_differ", "签署的条款不是当前版本", "the signed hash is not that of the current terms", 409
)
VALUE_DIFFERS = Refusal(9026, "value_differs", "申报的金额与条款不符", "the stated value is not that of the terms")
COUNTERPARTY_MISSING = Refusal(
    9027, "counterparty_missing", "公开要约尚无响应方", "nobody has joined the open offer yet", 409, retry=True
)
ALREADY_SIGNED = Refusal(9028, "already_signed", "本方已签署该版本", "this side has signed this version", 409)
EXPIRY_DOES_NOT_FIT = Refusal(
    9029,
    "expiry_does_not_fit",
    "有效期须晚于现在且早于交割开始",
    "the expiry must be later than now and not after delivery begins",
)
GREEN_SOURCE_MISSING = Refusal(
    9030,
    "green_source_missing",
    "售方没有相应的可再生能源电源",
    "the seller has no such active renewable resource",
    409,
)
NOT_SIGNED_BY_BOTH = Refusal(
    9031, "not_signed_by_both", "尚未由双方签署", "the terms are not signed by both yet", 409, retry=True
)

REFUSALS: tuple[Refusal, ...] = (
    NEGOTIATION_UNKNOWN,
    NEGOTIATION_OF_OTHERS,
    BOTH_HAVE_SIGNED,
    COUNTERPARTY_DOES_NOT_FIT,
    TERMS_DIFFER,
    VALUE_DIFFERS,
    COUNTERPARTY_MISSING,
    ALREADY_SIGNED,
    EXPIRY_DOES_NOT_FIT,
    GREEN_SOURCE_MISSING,
    NOT_SIGNED_BY_BOTH,
)
EVENTS: tuple[type[Event], ...] = (TermsOffered, TermsSigned, SecurityReviewed, NegotiationConcluded, NegotiationEnded)
REPLIES: tuple[type[Reply], ...] = (NegotiationReply, SignReply)
MESSAGES: tuple[type[Message], ...] = (OfferTerms, CounterTerms, WithdrawTerms, SignTerms, ReviewSecurity)
