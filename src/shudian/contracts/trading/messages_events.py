"""What happened in trading."""

from typing import ClassVar

from shudian.clearing.auction_rules import Margin
from shudian.clearing.book import Condition
from shudian.contracts.agreements.messages import Method
from shudian.contracts.trading.messages import CancelReason, Cut, Matching, Product, SessionRules, Side
from shudian.kernel.messages import Event


class SessionOpened(Event):
    """A session was announced."""

    step: ClassVar[str] = "opened"
    zh: ClassVar[str] = "交易场次已公告"
    en: ClassVar[str] = "session opened"

    session_id: int
    method: Method
    product: Product
    first_day: int
    last_day: int
    segments: tuple[int, ...]
    opens_ms: int
    closes_ms: int
    rules: SessionRules


class SessionCancelled(Event):
    """A session was cancelled; trades made in it stand."""

    step: ClassVar[str] = "cancelled"
    zh: ClassVar[str] = "交易场次已取消"
    en: ClassVar[str] = "session cancelled"

    session_id: int
    reason: str
    agreements_count: int


class SessionClosed(Event):
    """The gate of a session closed and its trades became agreements."""

    step: ClassVar[str] = "closed"
    zh: ClassVar[str] = "交易场次已关闭"
    en: ClassVar[str] = "session closed"

    session_id: int
    agreements_count: int


class OrderPlaced(Event):
    """An order was accepted; trades that it makes at once follow."""

    step: ClassVar[str] = "placed"
    zh: ClassVar[str] = "申报已接受"
    en: ClassVar[str] = "order placed"

    order_id: int
    session_id: int
    method: Method
    member_id: int
    segment: int
    side: Side
    price_myuan_mwh: int
    quantity_kwh: int
    condition: Condition


class TradeMade(Event):
    """Two orders traded, or a listing was taken: then it names no orders. taker_side: of what came later; empty in an auction.

    buy_limit_myuan_mwh, sell_limit_myuan_mwh: limits of the orders. buy_open_kwh, sell_open_kwh: what is left of them.
    """

    step: ClassVar[str] = "traded"
    zh: ClassVar[str] = "成交"
    en: ClassVar[str] = "trade made"

    trade_id: int
    session_id: int
    method: Method
    segment: int
    buy_order_id: int
    sell_order_id: int
    buyer_id: int
    seller_id: int
    taker_side: str
    price_myuan_mwh: int
    quantity_kwh: int
    value_fen: int
    buy_limit_myuan_mwh: int
    sell_limit_myuan_mwh: int
    buy_open_kwh: int
    sell_open_kwh: int


class OrderCancelled(Event):
    """What was left of an order was withdrawn."""

    step: ClassVar[str] = "cancelled"
    zh: ClassVar[str] = "申报已撤销"
    en: ClassVar[str] = "order cancelled"

    order_id: int
    session_id: int
    method: Method
    segment: int
    side: Side
    price_myuan_mwh: int
    open_kwh: int
    reason: CancelReason


class OrderExpired(Event):
    """What was left of an order ended with its session."""

    step: ClassVar[str] = "expired"
    zh: ClassVar[str] = "申报到期失效"
    en: ClassVar[str] = "order expired"

    order_id: int
    session_id: int
    method: Method
    segment: int
    side: Side
    price_myuan_mwh: int
    open_kwh: int


class OrderCleared(Event):
    """What an order got in an auction, and why not more."""

    step: ClassVar[str] = "cleared"
    zh: ClassVar[str] = "申报出清"
    en: ClassVar[str] = "order cleared"

    order_id: int
    session_id: int
    segment: int
    filled_kwh: int
    left_kwh: int
    cut: Cut


class OrderContracted(Event):
    """What an order traded stands in an agreement."""

    step: ClassVar[str] = "effective"
    zh: ClassVar[str] = "成交电量已成立合同"
    en: ClassVar[str] = "traded energy became an agreement"

    order_id: int
    agreement_id: int


class SegmentCleared(Event):
    """One segment of an auction was cleared; the prices are None where nothing trades.

    price: of a uniform clearing. low, high: bounds that it was taken from, with k; in a high-low match, where there is no single
    price, the lowest and highest of its pairs. set_by_order_ids: orders that stand at a bound. welfare_fen:
    value of the buys less that of the sells at their limits. margin: what the price rests on.
    """

    step: ClassVar[str] = "cleared"
    zh: ClassVar[str] = "时段出清"
    en: ClassVar[str] = "segment cleared"

    session_id: int
    segment: int
    matching: Matching
    price_myuan_mwh: int | None
    low_myuan_mwh: int | None
    high_myuan_mwh: int | None
    k_ppm: int
    volume_kwh: int
    welfare_fen: int
    set_by_order_ids: tuple[int, ...]
    margin: Margin


EVENTS: tuple[type[Event], ...] = (
    SessionOpened,
    SessionCancelled,
    SessionClosed,
    OrderPlaced,
    TradeMade,
    OrderCancelled,
    OrderExpired,
    OrderCleared,
    OrderContracted,
    SegmentCleared,
)
