"""What may be said about financing receivables: requests, competing quotes, pledges, recourse; the records and replies of it."""

from enum import StrEnum
from typing import ClassVar

from shudian.contracts.receivables.messages import (
    ID_MAX,
    check_receivable_id,
    finance_officer,
)
from shudian.contracts.roles import TRADING_KINDS, Kind
from shudian.kernel import fields
from shudian.kernel.codec import Record
from shudian.kernel.messages import Authority, Message
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Reply

BANKS = (Kind.BANK,)
DAY_COUNTS = (360, 365)
REGISTRATION_NO_LONGEST = 40
_MS_MAX = 253_402_300_799_000


class RequestState(StrEnum):
    """Life of a finance request."""

    OPEN = "open"
    CHOSEN = "chosen"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class FinanceRequest(Record):
    """A holder asks banks for quotes on one part, which is locked meanwhile. expires_ms: when the lock ends by itself."""

    receivable_id: int
    holder_id: int
    expires_ms: int
    state: RequestState = RequestState.OPEN


class Quote(Record):
    """A bank's offer to buy at a discount.

    rate_ppm: yearly. day_count: 360 or 365, the days of its year. fee_fen: all fees, kept back from the price. recourse: whether
    the bank may return the part to the seller if the debtor does not pay. expires_ms: last moment to choose it. replaced: by a newer one.
    """

    request_id: int
    bank_id: int
    rate_ppm: int
    day_count: int
    fee_fen: int
    recourse: bool
    expires_ms: int
    replaced: bool = False


class RequestFinance(Message):
    """Lock a part and ask banks for quotes until ``expires_ms``. Said by the holder."""

    authority: ClassVar[Authority] = finance_officer(
        TRADING_KINDS, "本方持有、未锁定、未到期", "held by the sender, not locked, not matured"
    )

    receivable_id: int
    expires_ms: int

    def check(self) -> None:
        """Refuse malformed fields."""
        check_receivable_id(self.receivable_id)
        fields.whole("expires_ms", self.expires_ms, 1, _MS_MAX)


class QuoteFinance(Message):
    """Offer to buy a part at a discount; a newer quote of the bank replaces its older one. See :class:`Quote` for the fields."""

    authority: ClassVar[Authority] = finance_officer(
        BANKS, "询价未结束；利率与费用不超上限", "the request is open; rate and fee within the limits"
    )

    request_id: int
    rate_ppm: int
    day_count: int
    fee_fen: int
    recourse: bool
    expires_ms: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("request_id", self.request_id, 1, ID_MAX)
        fields.whole("rate_ppm", self.rate_ppm, 0, 1_000_000)
        if self.day_count not in DAY_COUNTS:
            raise FIELD_NOT_ALLOWED("day_count", self.day_count, " | ".join(map(str, DAY_COUNTS)))
        fields.whole("fee_fen", self.fee_fen, 0, fields.AMOUNT_MAX)
        fields.whole("expires_ms", self.expires_ms, 1, _MS_MAX)


def _check_registry(registration_no: str, searched_ms: int, search_evidence: bytes) -> None:
    fields.text("registration_no", registration_no, REGISTRATION_NO_LONGEST)
    fields.whole("searched_ms", searched_ms, 1, _MS_MAX)
    fields.digest("search_evidence", search_evidence)


class ChooseQuote(Message):
    """Sell the part to the bank of a quote: the money against the title, both or neither. Said by the holder.

    net_min_fen: the least that the holder will take, since the discount falls day by day. registration_no: the transfer's number at the central
    registry 中登网. searched_ms, search_evidence: when the registry was searched for earlier claims, and the digest of its answer.
    """

    authority: ClassVar[Authority] = finance_officer(
        TRADING_KINDS,
        "询价与报价未到期；查询证明不超过 24 小时；银行资金足",
        "request and quote open; registry search at most 24 h old; the bank's funds suffice",
    )

    quote_id: int
    net_min_fen: int
    registration_no: str
    searched_ms: int
    search_evidence: bytes

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("quote_id", self.quote_id, 1, ID_MAX)
        fields.whole("net_min_fen", self.net_min_fen, 1, fields.AMOUNT_MAX)
        _check_registry(self.registration_no, self.searched_ms, self.search_evidence)


class WithdrawFinance(Message):
    """End a finance request without a choice; the part is free again. Said by the holder."""

    authority: ClassVar[Authority] = finance_officer(
        TRADING_KINDS, "本方询价、未结束", "the sender's request, still open"
    )

    request_id: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("request_id", self.request_id, 1, ID_MAX)


class PledgeReceivable(Message):
    """Pledge a part to a bank for a loan made outside the ledger; at maturity that bank is paid first. Said by the holder."""

    authority: ClassVar[Authority] = finance_officer(
        TRADING_KINDS,
        "本方持有、未锁定、未到期；查询证明不超过 24 小时",
        "held by the sender, not locked, not matured; registry search at most 24 h old",
    )

    receivable_id: int
    bank_id: int
    secured_fen: int
    registration_no: str
    searched_ms: int
    search_evidence: bytes

    def check(self) -> None:
        """Refuse malformed fields."""
        check_receivable_id(self.receivable_id)
        fields.whole("bank_id", self.bank_id, 1, ID_MAX)
        fields.whole("secured_fen", self.secured_fen, 1, fields.AMOUNT_MAX)
        _check_registry(self.registration_no, self.searched_ms, self.search_evidence)


class ReleasePledge(Message):
    """Give a pledged part back to its holder. Said by the bank that it secures."""

    authority: ClassVar[Authority] = finance_officer(BANKS, "质权人为本行", "pledged to the sender")

    receivable_id: int

    def check(self) -> None:
        """Refuse malformed fields."""
        check_receivable_id(self.receivable_id)


class ClaimRecourse(Message):
    """Return an overdue part that was bought with recourse: the seller pays what is open and has the title again. Said by the bank."""

    authority: ClassVar[Authority] = finance_officer(
        BANKS, "本行持有、有追索权、已逾期", "held by the sender, bought with recourse, overdue"
    )

    receivable_id: int

    def check(self) -> None:
        """Refuse malformed fields."""
        check_receivable_id(self.receivable_id)


class RequestReply(Reply):
    """The finance request's number."""

    request_id: int


class QuoteReply(Reply):
    """The quote's number, and what the holder would get if it chose today."""

    quote_id: int
    interest_fen: int
    net_fen: int


class FinanceReply(Reply):
    """What the holder got. discount_day_count: days from today to the due day."""

    discount_day_count: int
    interest_fen: int
    fee_fen: int
    net_fen: int


MESSAGES: tuple[type[Message], ...] = (
    RequestFinance,
    QuoteFinance,
    ChooseQuote,
    WithdrawFinance,
    PledgeReceivable,
    ReleasePledge,
    ClaimRecourse,
)
