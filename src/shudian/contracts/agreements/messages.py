"""What an agreement is, what happens to it, and its refusals.

Agreements are born from trades, so there is no message that is said to them directly.
"""

from enum import StrEnum
from typing import ClassVar

from shudian.kernel.codec import Record
from shudian.kernel.messages import Event
from shudian.kernel.outcomes import Refusal

TERMS_VERSION = 1
"""Format of :class:`Terms`; a later format gets a later number and its own record."""


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


class Terms(Record):
    """What both sides are bound by; its hash goes into the agreement.

    terms_version: format. seller_id, buyer_id: members. method: how it came about. session_id: the session it was
    traded in, 0 if none. product: of the session. first_day, last_day: period of delivery, both included.
    settlement_point: where the price holds. lines: in segment then price order.
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


class Agreement(Record):
    """An agreement as it stands.

    terms_version, terms_hash: format and SHA-256 of the canonical bytes of its terms. seller_id, buyer_id: members.
    first_day, last_day: period of delivery. quantity_kwh: sum of its lines. state: where in its life.
    """

    terms_version: int
    terms_hash: bytes
    seller_id: int
    buyer_id: int
    method: Method
    first_day: int
    last_day: int
    quantity_kwh: int
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


AGREEMENT_UNKNOWN = Refusal(8001, "agreement_unknown", "没有这份合同", "there is no such agreement", 404)

REFUSALS = (AGREEMENT_UNKNOWN,)
EVENTS = (AgreementBorn, AgreementDelivering, AgreementDelivered, AgreementSettled)
