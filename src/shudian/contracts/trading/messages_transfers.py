"""Contract transfer 合同转让 (domain 3.5): what may be said, what it answers, what happened, and the refusals."""

from enum import StrEnum
from typing import ClassVar

from shudian.clearing.auction_rules import PRICE_LIMIT_MYUAN_MWH
from shudian.contracts.agreements.messages import Terms
from shudian.contracts.roles import Kind, Role
from shudian.contracts.trading.messages import ORDER_LIMIT_KWH, TIME_LIMIT_MS
from shudian.contracts.trading.messages_negotiations import SECOND_SIGNER
from shudian.kernel import fields
from shudian.kernel.messages import Authority, Event, Message
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refusal, Reply, both
from shudian.kernel.units import energy_fen

TRANSFER_KINDS = (Kind.GENERATOR, Kind.RETAILER, Kind.USER)
"""Who may transfer, each to its own kind: 发电权, 售电侧, 用电侧."""
LINES_MAX_COUNT = 2_400
MOVED_MAX_KWH = 10**13

TRANSFER_CODE = 901
"""Code of the funds transfer that settles the price of a contract transfer."""


class TransferEnd(StrEnum):
    """How a proposed transfer ended."""

    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class ProposeTransfer(Message):
    """Propose that another member of the same kind takes over energy of an agreement on days to come; the sender signs with it.

    agreement_id: the parent, in which the sender stands on one side. receiver_id: who takes over. first_day: from it to the
    agreement's last day. quantities_kwh: per line of the parent. price_myuan_mwh: what the energy is worth between the two; the
    difference to the parent's prices is paid when the receiver signs. expires_ms: until when it may be signed.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=TRANSFER_KINDS,
        role=Role.TRADER,
        second_signer_setting=SECOND_SIGNER,
        when_zh="合同的一方；受让方为同类成员；只转让尚未到来的交割日的剩余电量",
        when_en="a side of the agreement; the receiver is of the same kind; open energy of days to come only",
    )

    agreement_id: int
    receiver_id: int
    first_day: int
    quantities_kwh: tuple[int, ...]
    price_myuan_mwh: int
    expires_ms: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.day("first_day", self.first_day)
        fields.count("quantities_kwh", self.quantities_kwh, 1, LINES_MAX_COUNT)
        fields.wholes("quantities_kwh", self.quantities_kwh, len(self.quantities_kwh), 0, ORDER_LIMIT_KWH)
        if not any(self.quantities_kwh):
            raise FIELD_NOT_ALLOWED("quantities_kwh", 0, both("至少一项 > 0", "at least one > 0"))
        fields.whole("price_myuan_mwh", self.price_myuan_mwh, -PRICE_LIMIT_MYUAN_MWH, PRICE_LIMIT_MYUAN_MWH)
        fields.whole("expires_ms", self.expires_ms, 0, TIME_LIMIT_MS)

    def band_fen(self) -> int:
        """The energy at the price of the transfer."""
        return abs(energy_fen(sum(self.quantities_kwh), self.price_myuan_mwh))


class WithdrawTransfer(Message):
    """Take a proposed transfer back, or decline it."""

    authority: ClassVar[Authority] = Authority(
        kinds=TRANSFER_KINDS,
        role=Role.TRADER,
        when_zh="出让方或受让方，尚未签署",
        when_en="its proposer or its receiver; not signed yet",
    )

    transfer_id: int


class SignTransfer(Message):
    """Take over: the receiver signs the exact terms of the agreement that the transfer makes.

    terms_hash: SHA-256 of their canonical bytes. value_fen: the energy at the price of the transfer.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=TRANSFER_KINDS,
        role=Role.TRADER,
        second_signer_setting=SECOND_SIGNER,
        when_zh="受让方；双方状态正常，持仓在能力内，资金足以接过担保和支付差价",
        when_en="the receiver; both in good standing, position within capability, funds cover collateral and price difference",
    )

    transfer_id: int
    terms_hash: bytes
    value_fen: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.digest("terms_hash", self.terms_hash)

    def band_fen(self) -> int:
        """The value of the transfer."""
        return abs(self.value_fen)


class TransferReply(Reply):
    """Answer to ProposeTransfer. terms_hash: what the receiver signs. value_fen: at the price of the transfer.

    difference_fen: what the receiver pays the sender on signing; negative: what it receives.
    """

    transfer_id: int
    terms_hash: bytes
    value_fen: int
    difference_fen: int


class TransferProposed(Event):
    """A transfer was proposed. terms: of the agreement it would make. counterparty_id: the parent's other side."""

    step: ClassVar[str] = "proposed"
    zh: ClassVar[str] = "合同转让已提出"
    en: ClassVar[str] = "transfer proposed"

    transfer_id: int
    agreement_id: int
    from_id: int
    to_id: int
    counterparty_id: int
    terms: Terms
    terms_hash: bytes
    price_myuan_mwh: int
    value_fen: int
    difference_fen: int
    expires_ms: int


class TransferConcluded(Event):
    """The receiver signed: the energy stands in a new agreement, the parent's other side is told. difference_fen: paid by to_id."""

    step: ClassVar[str] = "effective"
    zh: ClassVar[str] = "合同转让生效"
    en: ClassVar[str] = "transfer effective"

    transfer_id: int
    agreement_id: int
    child_id: int
    from_id: int
    to_id: int
    counterparty_id: int
    difference_fen: int


class TransferEnded(Event):
    """A proposed transfer ended without effect."""

    step: ClassVar[str] = "ended"
    zh: ClassVar[str] = "合同转让未生效"
    en: ClassVar[str] = "transfer ended"

    transfer_id: int
    end: TransferEnd


TRANSFER_UNKNOWN = Refusal(9061, "transfer_unknown", "没有这项待签的转让", "there is no such proposed transfer", 404)
TRANSFER_OF_OTHERS = Refusal(9062, "transfer_of_others", "不是该转让的相关方", "the transfer is between others", 403)
AGREEMENT_OF_OTHERS = Refusal(9063, "agreement_of_others", "不是该合同的一方", "the agreement is between others", 403)
RECEIVER_DOES_NOT_FIT = Refusal(
    9064,
    "receiver_does_not_fit",
    "受让方须为同类的其他成员",
    "the receiver must be another member of the same kind",
)

REFUSALS: tuple[Refusal, ...] = (TRANSFER_UNKNOWN, TRANSFER_OF_OTHERS, AGREEMENT_OF_OTHERS, RECEIVER_DOES_NOT_FIT)
EVENTS: tuple[type[Event], ...] = (TransferProposed, TransferConcluded, TransferEnded)
REPLIES: tuple[type[Reply], ...] = (TransferReply,)
MESSAGES: tuple[type[Message], ...] = (ProposeTransfer, WithdrawTransfer, SignTransfer)
