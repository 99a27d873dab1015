"""What an agreement is, what happens to it, and its refusals.

Agreements are born from trades and moved by transfers, so there is no message that is said to them directly.
"""

from enum import StrEnum
from typing import ClassVar

from shudian.kernel.codec import Record
from shudian.kernel.messages import Event
from shudian.kernel.outcomes import Refusal

TERMS_VERSION = 2
"""Format of :class:`Terms`; 2 added the green terms, the quarter-hour shape and the terms of a transfer."""

MIN_OF_THREE = "min_of_three"
"""Certified volume 三者取小: the smallest of contract, metered generation and metered use (domain 3.7)."""


class Method(StrEnum):
    """How an agreement came about (domain 3.4)."""

    BILATERAL = "bilateral"
    LISTING = "listing"
    AUCTION = "auction"
    ROLLING = "rolling"
    TRANSFER = "transfer"


class State(StrEnum):
    """Life of an agreement."""

    EFFECTIVE = "effective"
    """Born; its first day of delivery has not come."""
    DELIVERING = "delivering"
    """Within its period of delivery."""
    DELIVERED = "delivered"
    """Its last day is over; bills may be open."""
    SETTLED = "settled"
    """Every bill line is paid."""


class Line(Record):
    """One line of an agreement: energy of one segment over the whole period at one price.

    segment: hour of the day 0-23. quantity_kwh: over all days of the period, positive. price_myuan_mwh: may be
    negative.
    """

    segment: int
    quantity_kwh: int
    price_myuan_mwh: int


class GreenTerms(Record):
    """What makes an agreement a green one 绿电: the environmental value is priced apart from the energy (domain 3.7).

    environmental_myuan_mwh: price of the certified volume, not negative. resource_id: the seller's device that the
    volume comes from, 0 for any of its renewable ones. volume_rule: how the certified volume is found.
    compensation_myuan_mwh: what the seller pays for the volume that stays uncertified, not negative.
    """

    environmental_myuan_mwh: int
    resource_id: int
    volume_rule: str
    compensation_myuan_mwh: int


class TransferTerms(Record):
    """Where a transferred agreement 合同转让 comes from (domain 3.5).

    parent_id: the agreement that the energy was moved out of. from_id: the member that was bound before. price_myuan_mwh:
    what the two agreed on between themselves; the lines keep the parent's prices.
    """

    parent_id: int
    from_id: int
    price_myuan_mwh: int


class Terms(Record):
    """What both sides are bound by; its hash goes into the agreement.

    terms_version: format. seller_id, buyer_id: members. method: how it came about. session_id: the session it was
    traded in, 0 if none. product: of the session. first_day, last_day: period of delivery, both included.
    settlement_point: where the price holds. lines: in segment then price order. green: of a green agreement, else None.
    shape_kwh: 96 weights by which each hour spreads over its quarters; empty for equal quarters. transfer: of an agreement
    that was moved out of another, else None.
    """

    terms_version: int
    seller_id: int
    buyer_id: int
    method: Method
    session_id: int
    product: str
    first_day: int
    last_day: int
    settlement_point: str
    lines: tuple[Line, ...]
    green: GreenTerms | None = None
    shape_kwh: tuple[int, ...] = ()
    transfer: TransferTerms | None = None


class Agreement(Record):
    """An agreement as it stands.

    terms_version, terms_hash: format and SHA-256 of the canonical bytes of its terms. seller_id, buyer_id: members.
    first_day, last_day: period of delivery. quantity_kwh: sum of its lines. moved_kwh: per line, what transfers have moved
    to other agreements; the rest is open. state: where in its life.
    """

    terms_version: int
    terms_hash: bytes
    seller_id: int
    buyer_id: int
    method: Method
    first_day: int
    last_day: int
    quantity_kwh: int
    moved_kwh: tuple[int, ...]
    state: State


class SlotFacts(Record):
    """What the pricing of one line on one day needs.

    day: of delivery. line_no: place in the terms, from 0. energy_kwh: of that line settled on that day.
    """

    day: int
    line_no: int
    energy_kwh: int


class Explanation(Record):
    """How an amount came about, enough to do it again by hand.

    formula: name of the rule. quantity_kwh, price_myuan_mwh: what went in. amount_fen: what came out. rounding: name of
    the rule.
    """

    formula: str
    quantity_kwh: int
    price_myuan_mwh: int
    amount_fen: int
    rounding: str


class AgreementBorn(Event):
    """Two members are bound."""

    step: ClassVar[str] = "born"
    zh: ClassVar[str] = "合同成立"
    en: ClassVar[str] = "agreement born"

    agreement_id: int
    terms_hash: bytes
    terms: Terms


class AgreementDelivering(Event):
    """The first day of delivery has come."""

    step: ClassVar[str] = "delivering"
    zh: ClassVar[str] = "合同进入交割期"
    en: ClassVar[str] = "delivery begun"

    agreement_id: int


class AgreementDelivered(Event):
    """The last day of delivery is over."""

    step: ClassVar[str] = "delivered"
    zh: ClassVar[str] = "合同交割完毕"
    en: ClassVar[str] = "delivery ended"

    agreement_id: int


class AgreementSettled(Event):
    """Every bill line of the agreement is paid."""

    step: ClassVar[str] = "settled"
    zh: ClassVar[str] = "合同结清"
    en: ClassVar[str] = "agreement settled"

    agreement_id: int


class AgreementTransferred(Event):
    """Energy of an agreement was moved to another one, in which ``to_id`` stands in the place of ``from_id``.

    first_day: from it on. moved_kwh: per line of the parent. open_kwh: per line, what is left. price_myuan_mwh: of the transfer.
    """

    step: ClassVar[str] = "transferred"
    zh: ClassVar[str] = "合同电量转让"
    en: ClassVar[str] = "energy transferred"

    agreement_id: int
    child_id: int
    from_id: int
    to_id: int
    first_day: int
    moved_kwh: tuple[int, ...]
    open_kwh: tuple[int, ...]
    price_myuan_mwh: int


AGREEMENT_UNKNOWN = Refusal(8001, "agreement_unknown", "没有这份合同", "there is no such agreement", 404)
AGREEMENT_IS_OVER = Refusal(8002, "agreement_is_over", "合同已交割完毕", "the agreement has been delivered", 409)
DAYS_NOT_MOVABLE = Refusal(
    8003,
    "days_not_movable",
    "只能转让合同期内尚未到来的交割日",
    "only days of the agreement that are still to come can be transferred",
)
OPEN_QUANTITY_TOO_LOW = Refusal(
    8004, "open_quantity_too_low", "转让电量超过剩余合同电量", "more than the agreement's open quantity", 409
)
GREEN_STAYS_WITH_ITS_SOURCE = Refusal(
    8005,
    "green_stays_with_its_source",
    "绿电合同的售方不得转让",
    "the seller of a green agreement cannot transfer it",
    409,
)

REFUSALS: tuple[Refusal, ...] = (
    AGREEMENT_UNKNOWN,
    AGREEMENT_IS_OVER,
    DAYS_NOT_MOVABLE,
    OPEN_QUANTITY_TOO_LOW,
    GREEN_STAYS_WITH_ITS_SOURCE,
)
EVENTS: tuple[type[Event], ...] = (
    AgreementBorn,
    AgreementDelivering,
    AgreementDelivered,
    AgreementSettled,
    AgreementTransferred,
)
