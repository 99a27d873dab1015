"""Listing 挂牌 (domain 3.4): what may be said, what it answers, what happened, and the refusals."""

from enum import StrEnum
from typing import ClassVar

from shudian.clearing.auction_rules import PRICE_LIMIT_MYUAN_MWH
from shudian.contracts.agreements.messages import Line
from shudian.contracts.roles import TRADING_KINDS, Role
from shudian.contracts.trading.messages import ORDER_LIMIT_KWH, Side
from shudian.kernel import fields
from shudian.kernel.messages import PUBLIC, Authority, Event, Message
from shudian.kernel.outcomes import Refusal, Reply
from shudian.kernel.units import SEGMENTS_PER_DAY

LISTING_LIMIT_KWH = SEGMENTS_PER_DAY * ORDER_LIMIT_KWH


class ListingEnd(StrEnum):
    """How a listing ended."""

    TAKEN = "taken"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    """Its session closed with something left."""
    SESSION_CANCELLED = "session_cancelled"
    MEMBER_BARRED = "member_barred"


class PostListing(Message):
    """Post energy at a price for others to take, in a session of listing.

    side: what the sender does. lines: one per hour, hours rising, energy over the session's whole period. all_or_none: taken
    whole or not at all.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.TRADER,
        sees=PUBLIC,
        when_zh="闸门开放，场次允许该方向挂牌，价格、电量、持仓在限内，可用资金足以担保",
        when_en="the gate is open, the side may be listed, price, quantity and position within limits, funds cover the collateral",
    )

    session_id: int
    side: Side
    lines: tuple[Line, ...]
    all_or_none: bool = False

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.count("lines", self.lines, 1, SEGMENTS_PER_DAY)
        fields.rising("lines.segment", [line.segment for line in self.lines])
        for line in self.lines:
            fields.whole("segment", line.segment, 0, SEGMENTS_PER_DAY - 1)
            fields.whole("quantity_kwh", line.quantity_kwh, 1, ORDER_LIMIT_KWH)
            fields.whole("price_myuan_mwh", line.price_myuan_mwh, -PRICE_LIMIT_MYUAN_MWH, PRICE_LIMIT_MYUAN_MWH)


class TakeListing(Message):
    """Take energy of a listing at its price; it is spread over the listing's hours in proportion to what they have left.

    Under the time rule it trades at once. Under the pro-rata rule it stands till the close and cannot be taken back.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.TRADER,
        when_zh="闸门开放，不超过挂牌剩余电量，整挂须全部摘牌，持仓在限内，可用资金足以担保",
        when_en="the gate is open; within what is left, whole if all-or-none; position within limits, funds cover the collateral",
    )

    listing_id: int
    quantity_kwh: int

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("quantity_kwh", self.quantity_kwh, 1, LISTING_LIMIT_KWH)


class WithdrawListing(Message):
    """Withdraw what is left of one's own listing."""

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.TRADER,
        when_zh="本方挂牌，闸门未关闭，没有待分配的摘牌",
        when_en="one's own listing, the gate has not closed, no takes wait for their share",
    )

    listing_id: int


class ListingReply(Reply):
    """Answer to PostListing and WithdrawListing. open_kwh: listed or withdrawn. free_fen: funds left free."""

    listing_id: int
    open_kwh: int
    free_fen: int


class TakeReply(Reply):
    """Answer to TakeListing. taken_kwh: traded at once. waiting_kwh: to be shared at the close. free_fen: funds left free."""

    take_id: int
    taken_kwh: int
    waiting_kwh: int
    value_fen: int
    free_fen: int


class ListingPosted(Event):
    """Energy was posted."""

    step: ClassVar[str] = "posted"
    zh: ClassVar[str] = "已挂牌"
    en: ClassVar[str] = "listed"

    listing_id: int
    session_id: int
    member_id: int
    side: Side
    lines: tuple[Line, ...]
    all_or_none: bool


class TakePlaced(Event):
    """A take waits for its share at the close."""

    step: ClassVar[str] = "take placed"
    zh: ClassVar[str] = "摘牌待分配"
    en: ClassVar[str] = "take waits for its share"

    listing_id: int
    take_id: int
    member_id: int
    quantity_kwh: int


class ListingTaken(Event):
    """A take got energy of a listing. asked_kwh: what it wanted. taken_kwh: what it got. open_kwh: what the listing has left."""

    step: ClassVar[str] = "taken"
    zh: ClassVar[str] = "摘牌成交"
    en: ClassVar[str] = "taken"

    listing_id: int
    take_id: int
    member_id: int
    asked_kwh: int
    taken_kwh: int
    open_kwh: int


class ListingEnded(Event):
    """A listing left the session. open_kwh: what nobody took."""

    step: ClassVar[str] = "ended"
    zh: ClassVar[str] = "挂牌结束"
    en: ClassVar[str] = "listing ended"

    listing_id: int
    session_id: int
    open_kwh: int
    end: ListingEnd


LISTING_UNKNOWN = Refusal(9041, "listing_unknown", "没有这个有效挂牌", "there is no such listing", 404)
LISTING_OF_ANOTHER = Refusal(9042, "listing_of_another", "挂牌属于其他成员", "the listing is another member's", 403)
SIDE_NOT_LISTED = Refusal(
    9043, "side_not_listed", "本场次不接受该方向挂牌", "the session takes no listings of this side"
)
LISTING_TOO_SMALL = Refusal(
    9044, "listing_too_small", "超过挂牌剩余电量", "the listing does not have that much left", 409
)
LISTING_IS_WHOLE = Refusal(9045, "listing_is_whole", "整挂须全部摘牌", "an all-or-none listing is taken whole")
TAKES_ARE_WAITING = Refusal(
    9046, "takes_are_waiting", "已有摘牌待分配，不得撤回", "takes wait for their share of the listing", 409
)

REFUSALS: tuple[Refusal, ...] = (
    LISTING_UNKNOWN,
    LISTING_OF_ANOTHER,
    SIDE_NOT_LISTED,
    LISTING_TOO_SMALL,
    LISTING_IS_WHOLE,
    TAKES_ARE_WAITING,
)
EVENTS: tuple[type[Event], ...] = (ListingPosted, TakePlaced, ListingTaken, ListingEnded)
REPLIES: tuple[type[Reply], ...] = (ListingReply, TakeReply)
MESSAGES: tuple[type[Message], ...] = (PostListing, TakeListing, WithdrawListing)
